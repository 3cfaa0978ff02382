#pragma once

/// The spans of sync verbs and their handlers. docs/design/0033-spans.md

#include <msgbus/detail/core/cause.hpp>

#include <cstdint>
#include <exception>
#include <memory>

namespace msgbus {
class tracer;
}  // namespace msgbus

namespace msgbus::routing {
class entry;
}  // namespace msgbus::routing

namespace msgbus::detail {
class active_span;
struct message_span;
}  // namespace msgbus::detail

namespace msgbus::sync::detail {

/// The current span of the calling thread as long as this object exists, which ends it. If its
/// trace is not sampled there is no span, and none below it. On the stack of a verb.
class thread_span {
 public:
  /// None: the trace is not sampled.
  thread_span() noexcept;
  /// Of a verb. `number` is that of a trace that begins and is sampled; 0: that is not decided.
  thread_span(const std::shared_ptr<tracer>& by, std::uint64_t number,
              const msgbus::detail::message_span& verb) noexcept;
  /// Of one call of a handler. `replayed`: with a dead letter.
  thread_span(const std::shared_ptr<tracer>& by, const msgbus::detail::message_span& call,
              const routing::entry& handler, bool replayed) noexcept;
  thread_span(const thread_span&) = delete;
  thread_span& operator=(const thread_span&) = delete;
  ~thread_span();

  /// Whether there is a span.
  explicit operator bool() const noexcept { return span_ != nullptr; }
  /// Null has no effect.
  void fail(const std::exception_ptr& why) noexcept;
  /// No tracer gets the span: the handler did not take the message.
  void discard() noexcept;

 private:
  void begin(const std::shared_ptr<tracer>& by, std::uint64_t number,
             const msgbus::detail::message_span& call, const routing::entry* handler,
             bool replayed) noexcept;

  const shared_origin* const before_ = cause_of_this_thread;
  std::shared_ptr<msgbus::detail::active_span> span_;
  shared_origin cause_;
};

}  // namespace msgbus::sync::detail
