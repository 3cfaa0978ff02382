#pragma once

/// Told of failures and of messages without a handler, beside the observer of a component, which is
/// the program's.

#include <msgbus/detail/routing/entry.hpp>
#include <msgbus/observer.hpp>

#include <exception>
#include <memory>
#include <vector>

namespace msgbus::detail {

/// An implementation is thread-safe, and fast: the dispatch waits for it.
class failure_recorder {
 public:
  failure_recorder() = default;
  failure_recorder(const failure_recorder&) = delete;
  failure_recorder& operator=(const failure_recorder&) = delete;
  virtual ~failure_recorder() = default;

  /// `handler`: the one that has failed; null: it was none. `repeated`: another attempt follows.
  virtual void failed(const step& message, const routing::entry* handler,
                      const std::exception_ptr& why, bool repeated) noexcept = 0;
  /// The component has no handler for a message.
  virtual void unrouted(const step& message) noexcept = 0;
};

using failure_recorders = std::vector<std::shared_ptr<failure_recorder>>;

}  // namespace msgbus::detail
