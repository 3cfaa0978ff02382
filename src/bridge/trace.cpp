#include "bridge/trace.hpp"

#include <msgbus/trace_context.hpp>

#include "core/text.hpp"
#include "core/trace_state.hpp"
#include "observe/message_span.hpp"
#include "observe/trace_table.hpp"

namespace msgbus::bridging {

outbound_span begin_outbound(const hub& over, span_kind kind, std::string_view operation,
                             std::string_view topic, const context& ctx) {
  outbound_span made{nullptr, nullptr, ctx};
  const std::shared_ptr<tracer> by = over.traced_by();
  if (!by) return made;
  try {
    const origin* const from = ctx.from();
    if (!from && detail::is_marked_not_sampled()) return made;
    std::optional<trace_context> parent;
    if (from) parent = from->span ? from->span->context() : detail::trace_of(*from);
    const auto ids = detail::sampled_ids(*by, parent ? &*parent : nullptr);
    if (!ids) return made;
    const detail::message_span of{
        .kind = kind, .operation = operation, .destination = topic, .system = over.wire->system()};
    made.span = detail::begin_span(by, detail::described(of, *ids), parent ? &*parent : nullptr);
    made.cause = detail::origin_of(made.span, from);
    made.ctx = context::caused_by(made.cause.get(), ctx.topic());
  } catch (...) {
    detail::say_thrown_by("the making of a span");
  }
  return made;
}

asio::awaitable<transport::stored> end_with(detail::shared_span span,
                                            asio::awaitable<transport::stored> storing) {
  try {
    transport::stored done = co_await std::move(storing);
    span->end();
    co_return done;
  } catch (...) {
    span->fail(std::current_exception());
    throw;
  }
}

asio::awaitable<transport::stored> measured(std::shared_ptr<hub> by,
                                            asio::awaitable<transport::stored> storing) {
  const std::int64_t began = detail::times_now();
  measured_operation& to = by->operation(by->stores, "store", {});
  try {
    transport::stored done = co_await std::move(storing);
    to.ended.add(detail::times_now() - began);
    co_return done;
  } catch (...) {
    to.failed.add(detail::times_now() - began);
    throw;
  }
}

detail::shared_span begin_settling(const hub& over, std::string_view operation,
                                   std::string_view topic, const origin* settled) noexcept {
  if (!settled || !over.traced_by() || !settled->headers.contains(header::traceparent)) {
    return nullptr;
  }
  try {
    return begin_outbound(over, span_kind::client, operation, topic, context(topic, *settled)).span;
  } catch (...) {
    detail::say_thrown_by("the making of a span");
    return nullptr;
  }
}

}  // namespace msgbus::bridging
