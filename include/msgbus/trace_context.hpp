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

/// A span of a trace: the content of `traceparent` and `tracestate`. A value. For a span of your
/// own, make a `child` of the current one, and pass its ids to your tracing library:
///
///     if (const auto parent = msgbus::current_trace()) {
///       const auto span = parent->child();
///       my_tracer.begin("charge card", span.trace_id, span.span_id, parent->span_id);
///     }
struct trace_context {
  std::array<std::uint8_t, 16> trace_id = {};  ///< not all zeros
  std::array<std::uint8_t, 8> span_id = {};    ///< not all zeros
  bool sampled = false;                        ///< whether the trace is recorded
  std::string state = {};                      ///< `tracestate`, as it came; empty if there is none

  /// A new trace, and its first span.
  [[nodiscard]] static trace_context start(bool sampled);

  /// Parses the two headers, without blanks around them. Of a later version, the parts of this
  /// version are read. Empty if `traceparent` is invalid. A `tracestate` that is invalid, or has
  /// more than 32 members, is left out.
  [[nodiscard]] static std::optional<trace_context> parse(std::string_view traceparent,
                                                          std::string_view tracestate = {});

  /// The trace of a handler's message. Empty if neither the message nor an earlier one of its chain
  /// had a valid `traceparent`.
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

/// During its lifetime, messages that the calling thread sends belong to this span: their handlers
/// have it as `current_trace()`, and bridges pass it on. Use it where work enters the program, such
/// as an HTTP request, or for a span of a handler's own:
///
///     const msgbus::trace_scope scope(trace_context::parse(request["traceparent"]).value());
///     (void)orders.post(order_placed{42});
///
/// Scopes are destroyed on their thread, in the reverse order of construction. A scope must not
/// span a `co_await`.
class trace_scope {
 public:
  explicit trace_scope(const trace_context& span);
  /// As above, for a span that has begun, which is then the `current_span()`.
  explicit trace_scope(const span& current);
  trace_scope(const trace_scope&) = delete;
  trace_scope& operator=(const trace_scope&) = delete;
  ~trace_scope() = default;

 private:
  const detail::shared_origin origin_;
  const detail::cause_scope scope_;
};

}  // namespace msgbus
