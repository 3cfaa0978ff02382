#pragma once

/// Spans, the parts of a trace, in the words of OpenTelemetry.

#include <msgbus/trace_context.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace msgbus {

namespace detail {
struct span_access;
}  // namespace detail

/// The part of a span in its trace. The numbers are those of OTLP.
enum class span_kind : std::uint8_t {
  internal = 1,  ///< work inside a component
  server = 2,    ///< a command is carried out for its caller
  client = 3,    ///< a command is called
  producer = 4,  ///< a message is sent
  consumer = 5   ///< a message is handled
};
/// Writes `server`, `consumer` and so on.
std::ostream& operator<<(std::ostream& out, span_kind value);

/// Whether the work of a span has failed. The numbers are those of OTLP.
enum class span_status : std::uint8_t {
  unset = 0,  ///< no failure
  ok = 1,     ///< the program marked it as successful
  error = 2   ///< it has failed
};
/// Writes `unset`, `ok` or `error`.
std::ostream& operator<<(std::ostream& out, span_status value);

/// The value of an attribute.
using attribute_value = std::variant<std::string, bool, std::int64_t, double>;

/// A property of a span, such as `messaging.system`.
struct attribute {
  std::string key;        ///< not empty
  attribute_value value;  ///< a text, a truth value or a number

  friend bool operator==(const attribute&, const attribute&) = default;
};
std::ostream& operator<<(std::ostream& out, const attribute& value);

/// The data of a span.
struct span_data {
  std::string name;                         ///< `{operation} {destination}`, such as `send order`
  span_kind kind = span_kind::internal;     ///< its part in the trace
  trace_context context = {};               ///< its ids and flags
  std::array<std::uint8_t, 8> parent = {};  ///< the id of its parent; all zeros: it has none
  std::vector<trace_context> links = {};    ///< spans that led to it
  std::chrono::system_clock::time_point began = {};  ///< by the system's clock
  std::chrono::steady_clock::duration took = {};     ///< zero until it has ended
  std::vector<attribute> attributes = {};            ///< each key once
  span_status status = span_status::unset;           ///< whether it has failed
  std::string status_text = {};                      ///< why it has failed

  /// Whether it has no parent.
  [[nodiscard]] bool is_root() const noexcept { return parent == std::array<std::uint8_t, 8>{}; }
};
/// Writes one line, as a `text_tracer`.
std::ostream& operator<<(std::ostream& out, const span_data& value);

/// A handle of a span that has begun; an empty one has no span. Copies share the span. Thread-safe.
class span {
 public:
  /// An empty handle: it records nothing.
  span() = default;
  /// Whether a tracer gets the values that are set: the trace is sampled, and the span has not
  /// ended.
  [[nodiscard]] bool is_recording() const noexcept;
  /// Its ids; empty without a span.
  [[nodiscard]] std::optional<trace_context> context() const;

  /// Begins a child of this span, for the same tracer. The child ends with `end`, or with its last
  /// handle. The child of an empty handle is empty.
  [[nodiscard]] span child(std::string name, span_kind kind = span_kind::internal) const;

  /// Sets an attribute; the last value counts.
  void set(std::string key, attribute_value value) const;
  /// Marks the work as failed, with the reason.
  void fail(std::string description) const;
  /// Ends the span. The first call counts, and later values are ignored. The library ends its own
  /// spans.
  void end() const noexcept;

 private:
  friend trace_scope;
  friend detail::span_access;

  std::shared_ptr<detail::active_span> at_;
  std::shared_ptr<void> owner_;  // ends it; null for a span of the library
  bool is_decided_ = false;      // without a span: its trace is not sampled
};

/// The span of the handler that the calling thread runs, also in a coroutine that was suspended;
/// inside a `trace_scope` of a span, that span. Empty if its trace is not sampled, or its component
/// has no tracer.
[[nodiscard]] span current_span();

}  // namespace msgbus
