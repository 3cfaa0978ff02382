#pragma once

/// The interface for watching the steps of messages through components. An observer changes
/// nothing.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <exception>
#include <iosfwd>
#include <string_view>

namespace msgbus {

/// The message of a step. The texts are views: copy what must live longer.
struct step {
  std::string_view message;  ///< the name of the message's type, or of the operation
  std::string_view topic;    ///< empty for events and operations
  /// The name that `async::host` gave the component; empty if it has none.
  std::string_view component = {};
};
std::ostream& operator<<(std::ostream& out, const step& value);

/// Override the functions for the steps of interest. They run on the dispatching thread, often on
/// several threads at the same time. An implementation must be thread-safe, and fast: the dispatch
/// waits for it. It should not throw: an exception is caught, is one line on stderr, and changes
/// nothing.
class observer {
 public:
  virtual ~observer() = default;

  /// A component refused a message: its mailbox was full, or it was closed. No other step follows
  /// (A7).
  virtual void rejected(const step&) {}
  /// A component accepted a message.
  virtual void accepted(const step&) {}
  /// A handler succeeded.
  virtual void delivered(const step&) {}
  /// A handler, or a clean-up around it, threw.
  virtual void failed(const step&, const std::exception_ptr&) {}
  /// An attempt of a handler took `took`, longer than its policy's `timeout`.
  virtual void overran(const step&, std::chrono::steady_clock::duration /*took*/) {}
  /// An overflow policy discarded a message.
  virtual void dropped(const step&) {}
  /// A message was not handled to its end: its component was destroyed, its drain reached the
  /// deadline, or it was cancelled (A7).
  virtual void abandoned(const step&) {}
  /// A message had no handler (D3), or none for its type (T6).
  virtual void unrouted(const step&) {}
};

}  // namespace msgbus
