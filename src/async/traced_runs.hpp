#pragma once

/// The spans of handlers and awaited verbs. docs/design/0033-spans.md

#include <msgbus/detail/async/component_core.hpp>

#include "observe/active_span.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>

namespace msgbus::async::detail {

using msgbus::detail::shared_span;

/// Whether a message is known to be not sampled, without a look at its headers. `cause` is set to
/// the cause of messages that its handlers send.
[[nodiscard]] inline bool is_not_sampled(const msgbus::context& ctx, bool from_mailbox,
                                         const shared_origin*& cause) noexcept {
  if (const origin* const from = ctx.from()) {
    if (from != msgbus::detail::not_sampled_origin().get()) return false;
  } else if (!from_mailbox && !msgbus::detail::is_marked_not_sampled()) {
    return false;
  }
  cause = &msgbus::detail::not_sampled_mark;
  return true;
}

/// Ends the span of a handler that has failed with those after `failed_before`; null: there is
/// none.
void end_span(const shared_span& of, const component_run& d, std::size_t failed_before) noexcept;

/// One call of a handler, which may have a span. Lives as long as the call.
class traced_call {
 public:
  traced_call(component_run& d, routing::entry& handler, const attachments& by) noexcept {
    if (by.tracing) begin(d, handler, *by.tracing);
  }
  traced_call(const traced_call&) = delete;
  traced_call& operator=(const traced_call&) = delete;
  ~traced_call() {
    if (span_) span_->discard();  // the handler did not take the message
  }

  /// Whether messages of the handler have another cause than they would have without a tracer.
  explicit operator bool() const noexcept { return cause_ != nullptr; }
  /// The handler suspends.
  void keep_in(observed_call& in) noexcept {
    in.span = std::move(span_);
    in.cause = cause_;
  }
  void end(const component_run& d, std::size_t failed_before) noexcept {
    end_span(span_, d, failed_before);
    span_ = nullptr;
  }

 private:
  void begin(component_run& d, routing::entry& handler, const std::shared_ptr<tracer>& by) noexcept;
  [[nodiscard]] static shared_span span_of(const component_run& d, routing::entry& handler,
                                           const std::shared_ptr<tracer>& by);

  shared_span span_;
  shared_origin cause_;
  std::optional<cause_scope> scope_;
};

/// Awaits the handler, with this cause for the messages that it sends. On a strand of the library.
asio::awaitable<void> run_under(asio::awaitable<void> handler, shared_origin cause);

}  // namespace msgbus::async::detail
