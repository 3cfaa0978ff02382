#pragma once

/// Tracers, which receive spans, and samplers, which choose the recorded traces.

#include <msgbus/span.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace msgbus {

/// Decides whether a span is recorded. A value.
///
///     auto seldom = msgbus::sampler::parent_based(msgbus::sampler::ratio(0.01));
class sampler {
 public:
  /// Every span.
  [[nodiscard]] static sampler always() noexcept;
  /// No span.
  [[nodiscard]] static sampler never() noexcept;
  /// A fraction of the traces, from 0 to 1, chosen by the last 8 bytes of their ids. So the
  /// decision is the same for all spans of a trace, in every process with the same ratio.
  [[nodiscard]] static sampler ratio(double part) noexcept;
  /// The decision of the parent, in this process or another one; without a parent, that of `root`.
  [[nodiscard]] static sampler parent_based(sampler root) noexcept;

  /// Whether a new trace is recorded whose id ends with this number.
  [[nodiscard]] bool samples_root(std::uint64_t number) const noexcept {
    return (number >> 1U) < bound_;
  }
  /// For the library: the bound for `samples_root`.
  [[nodiscard]] std::uint64_t root_bound() const noexcept { return bound_; }
  /// Whether a span below this parent is recorded.
  [[nodiscard]] bool samples_below(const trace_context& parent) const noexcept;

 private:
  static constexpr std::uint64_t half = std::uint64_t{1} << 63U;
  constexpr sampler(std::uint64_t bound, bool by_parent) noexcept
      : bound_(bound), by_parent_(by_parent) {}

  std::uint64_t bound_;  // of numbers below 2^63; above that, all are sampled
  bool by_parent_;
};

/// Receives the spans of the components and bridges to which `trace` attaches it. Its function runs
/// on the thread of the work, often on several threads at the same time: it must be thread-safe,
/// and fast. It should not throw: an exception is caught, is one line on stderr, and changes
/// nothing.
class tracer {
 public:
  explicit tracer(sampler decides = sampler::parent_based(sampler::always())) noexcept
      : decides_(decides) {}
  tracer(const tracer&) = delete;
  tracer& operator=(const tracer&) = delete;
  virtual ~tracer() = default;

  /// A sampled span has ended; its data is final.
  virtual void ended(const span_data& span) = 0;

  /// The sampler, which chooses its spans.
  [[nodiscard]] const sampler& sampling() const noexcept { return decides_; }

 private:
  const sampler decides_;
};

/// Begins a span of the program's own, for an HTTP request for example: as a child of the current
/// span, or as a new trace. It ends with `end`, or with its last handle. The handle is empty if the
/// span is not sampled.
///
///     const auto request = msgbus::start_span(tracer, "GET /orders", msgbus::span_kind::server);
///     const msgbus::trace_scope scope(request);
///     (void)orders.post(order_placed{42});
[[nodiscard]] span start_span(const std::shared_ptr<tracer>& by, std::string name,
                              span_kind kind = span_kind::internal);
/// As above, as a child of a span of another process (`trace_context::parse`).
[[nodiscard]] span start_span(const std::shared_ptr<tracer>& by, std::string name, span_kind kind,
                              const trace_context& parent);

/// Writes one line for each ended span, for a terminal. A line is one line, whatever bytes names
/// and texts hold (O3). Lines are written one at a time.
class text_tracer : public tracer {
 public:
  /// The destination of the lines, which have no line end.
  using writer = std::function<void(std::string_view line)>;

  explicit text_tracer(writer write, sampler decides = sampler::parent_based(sampler::always()));
  ~text_tracer() override;

  void ended(const span_data& span) override;

 private:
  struct state;
  const std::unique_ptr<state> state_;
};

}  // namespace msgbus
