#pragma once

/// Somebody who is told of each step that messages take through a component, and changes nothing.

#include <msgbus/core/namespaces.hpp>

#include <chrono>
#include <exception>
#include <string_view>

namespace msgbus {

/// The message and the handler that a step is about. It refers: copy what must live longer.
struct step {
  std::string_view message;  ///< the name of the message's type; of an operation, its name
  std::string_view topic;    ///< empty for events and operations
};

/// Override the steps of interest. Called on the thread that dispatches, often from several at
/// once, so an implementation must be thread-safe, and quick: the dispatch waits for it. It should
/// not throw: what it throws is caught, is one line on stderr, and changes nothing.
class observer {
 public:
  virtual ~observer() = default;

  /// A component has refused a message: its mailbox was full, or it was closed. Such a message is
  /// counted as rejected, and of it nothing else is told (A7).
  virtual void rejected(const step&) {}
  /// A component has taken a message.
  virtual void accepted(const step&) {}
  /// A handler has ended well.
  virtual void delivered(const step&) {}
  /// A handler, or a clean-up around it, has thrown.
  virtual void failed(const step&, const std::exception_ptr&) {}
  /// An attempt of a handler took longer than its policy's `timeout`, however it ended.
  virtual void overran(const step&, std::chrono::steady_clock::duration /*took*/) {}
  /// A message was discarded by an overflow policy.
  virtual void dropped(const step&) {}
  /// A message was given up: its component was destroyed, its drain ran out of time, or it was
  /// cancelled (A7).
  virtual void abandoned(const step&) {}
  /// A message had no handler (D3), or none for its type (T6).
  virtual void unrouted(const step&) {}
};

}  // namespace msgbus
