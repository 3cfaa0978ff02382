#pragma once

/// The trace that a message belongs to, as W3C Trace Context, level 1, describes it
/// (https://www.w3.org/TR/trace-context-1/).

#include <msgbus/context.hpp>
#include <msgbus/detail/core/cause.hpp>

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus {

/// A span of a trace: what `traceparent` and `tracestate` say. A value; for a span of your own make
/// a `child` of the current one, and give its ids to your tracing library:
///
///     if (const auto parent = msgbus::current_trace()) {
///       const auto span = parent->child();
///       my_tracer.begin("charge card", span.trace_id, span.span_id, parent->span_id);
///     }
struct trace_context {
  std::array<std::uint8_t, 16> trace_id = {};  ///< not all zeros
  std::array<std::uint8_t, 8> span_id = {};    ///< not all zeros
  bool sampled = false;                        ///< whether somebody records the trace
  std::string state = {};                      ///< `tracestate`, as it came; empty if there is none

  /// A new trace, and its first span.
  [[nodiscard]] static trace_context start(bool sampled);

  /// What the two headers say, without blanks around them. Of a later version, what this one knows
  /// is taken. Empty if `traceparent` is not valid. A `tracestate` that is not valid, or has more
  /// than 32 members, is left out.
  [[nodiscard]] static std::optional<trace_context> parse(std::string_view traceparent,
                                                          std::string_view tracestate = {});

  /// The trace of a handler's message. Empty if neither the message nor one that led to it came
  /// with a valid `traceparent`.
  [[nodiscard]] static std::optional<trace_context> of(const context& ctx);

  /// Another span of the same trace.
  [[nodiscard]] trace_context child() const;

  /// The value of the header, in version 00.
  [[nodiscard]] std::string traceparent() const;

  friend bool operator==(const trace_context&, const trace_context&) = default;
};
/// Writes the `traceparent`.
std::ostream& operator<<(std::ostream& out, const trace_context& value);

/// The trace of the message that the calling thread handles, also in a coroutine handler that was
/// suspended; within a `trace_scope`, that of the scope. Empty if there is none.
[[nodiscard]] std::optional<trace_context> current_trace();

class span;

/// Messages that the calling thread sends during its lifetime belong to this span: their handlers
/// know it as `current_trace()`, and bridges send it on. For an entry into the program, such as an
/// HTTP request, or a span of a handler's own:
///
///     const msgbus::trace_scope scope(trace_context::parse(request["traceparent"]).value());
///     (void)orders.post(order_placed{42});
///
/// It ends on its thread, in the reverse order of construction, and must not span a `co_await`.
class trace_scope {
 public:
  explicit trace_scope(const trace_context& span);
  /// The same for a span that has begun, which is then the `current_span()`.
  explicit trace_scope(const span& current);
  trace_scope(const trace_scope&) = delete;
  trace_scope& operator=(const trace_scope&) = delete;
  ~trace_scope() = default;

 private:
  const detail::shared_origin origin_;
  const detail::cause_scope scope_;
};

}  // namespace msgbus
