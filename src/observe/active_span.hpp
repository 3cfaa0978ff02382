#pragma once

/// A span that has begun, and the decision whether one begins.

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/tracer.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus::detail {

/// Its tracer gets it when it ends, at the latest with this object. Thread-safe.
class active_span {
 public:
  active_span(std::shared_ptr<tracer> by, span_data&& begun) noexcept;
  active_span(const active_span&) = delete;
  active_span& operator=(const active_span&) = delete;
  ~active_span();

  [[nodiscard]] const trace_context& context() const noexcept { return context_; }
  [[nodiscard]] const std::shared_ptr<tracer>& by() const noexcept { return by_; }
  [[nodiscard]] bool has_ended() const noexcept {
    return has_ended_.load(std::memory_order_acquire);
  }

  void set(std::string key, attribute_value value);
  void fail(std::string description);
  /// As above, with `error.type`. Does not throw: without memory, the span has no description.
  void fail(const std::exception_ptr& failure) noexcept;
  /// It has not failed after all.
  void recover() noexcept;
  void end() noexcept;
  /// Discards the span: no tracer gets it.
  void discard() noexcept { has_ended_.store(true, std::memory_order_release); }

 private:
  const std::shared_ptr<tracer> by_;
  const trace_context context_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::atomic<bool> has_ended_{false};
  std::mutex mutex_;
  span_data data_;  // under the mutex
};

using shared_span = std::shared_ptr<active_span>;

/// Makes handles.
struct span_access {
  /// A handle of a span of the library, or of the program; the last handle ends the latter.
  [[nodiscard]] static span handle(shared_span of, bool is_owner);
  /// An empty handle, of a trace that is not sampled.
  [[nodiscard]] static span not_sampled();
  [[nodiscard]] static const shared_span& of(const span& handle) noexcept { return handle.at_; }
};

/// The trace of an origin, which may be null; empty: it has none.
[[nodiscard]] std::optional<trace_context> trace_from(const origin* from);

/// The ids of a new span; empty: it is not sampled. Without a parent it begins a trace.
[[nodiscard]] std::optional<trace_context> sampled_ids(const tracer& by,
                                                       const trace_context* parent);
/// The same for the first span of a trace that is sampled, whose id ends with this number.
[[nodiscard]] trace_context root_ids(std::uint64_t number);
/// The same for a message that came with this id and without a trace: each of its handlers decides
/// alike, and has the same trace.
[[nodiscard]] std::optional<trace_context> sampled_ids_for(const tracer& by,
                                                           std::string_view message_id);

/// Begins a span with ids from above. `began` and `parent` are set.
[[nodiscard]] shared_span begin_span(const std::shared_ptr<tracer>& by, span_data begun,
                                     const trace_context* parent);

/// The cause of messages that the span sends, while an origin is handled, or without one.
[[nodiscard]] shared_origin origin_of(const shared_span& in_hand, const origin* handled);

/// The cause of messages whose trace is decided to be not sampled.
///
/// The mark is a null pointer, known by its address: messages carry nothing. The origin is for
/// strands, which keep origins: messages carry it.
extern constinit const shared_origin not_sampled_mark;
[[nodiscard]] const shared_origin& not_sampled_origin();
[[nodiscard]] inline bool is_marked_not_sampled() noexcept {
  return cause_of_this_thread == &not_sampled_mark;
}
/// The current cause, for work that comes later or runs elsewhere; null: there is none.
[[nodiscard]] inline shared_origin cause_to_keep() {
  if (const shared_origin* const now = current_cause()) return *now;
  return is_marked_not_sampled() ? not_sampled_origin() : nullptr;
}

}  // namespace msgbus::detail
