#pragma once

// The spans of one verb: what its component, or its sender, passes to them.

#include <msgbus/detail/observe/duration_histogram.hpp>
#include <msgbus/detail/sync/component_run.hpp>
#include <msgbus/detail/sync/thread_span.hpp>
#include <msgbus/error.hpp>

#include "observe/active_span.hpp"
#include "observe/message_span.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace msgbus::sync::detail {

/// The decision about a trace that begins with a verb, which costs little where it is not sampled.
struct trace_start {
  std::uint64_t number = 0;   // of a trace that begins; 0: there is a trace
  bool is_unsampled = false;  // it is known that there is no span

  /// Null for a verb whose span is that of its sender.
  [[nodiscard, gnu::always_inline]] static trace_start of(const attachments& by,
                                                          const char* verb) noexcept {
    if (!by.tracing) return {};
    if (msgbus::detail::is_marked_not_sampled()) return {0, true};
    if (!verb || msgbus::detail::current_cause()) return {};
    const std::uint64_t number = msgbus::detail::next_random();
    return {number, !(*by.tracing)->sampling().samples_root(number)};
  }
  /// Whether neither a span nor an observer knows of the verb. Under the mark, it and all below it
  /// run as without a tracer.
  [[nodiscard]] bool is_unwatched(const attachments& by) const noexcept {
    return is_unsampled && !by.observer;
  }
  /// The span of a verb.
  template <class Describe>
  void begin(std::optional<thread_span>& span, const std::shared_ptr<tracer>& by,
             Describe describe) const noexcept {
    if (is_unsampled) {
      span.emplace();
    } else {
      span.emplace(by, number, describe());
    }
  }
};

/// Whether a tracer or an observer is to know of a message: no tracer is, below a verb that is not
/// sampled.
[[nodiscard]] inline bool is_watched(const attachments* by) noexcept {
  return by && (by->observer || !msgbus::detail::is_marked_not_sampled());
}

/// The span of an event or a message.
inline msgbus::detail::message_span span_of(const component_run& d, span_kind kind,
                                            std::string_view operation) noexcept {
  const std::string_view topic = d.context.topic();
  return {.kind = kind,
          .operation = operation,
          .destination = topic.empty() ? d.message.type->name : topic};
}

/// The span of a verb, from its begin to the end of its last handler. Null: the verb has none.
class verb_span {
 public:
  verb_span(const attachments& by, const component_run& d, const char* verb,
            const trace_start& start) noexcept
      : d_(d), failed_before_(d.failed.size()) {
    if (!by.tracing || !verb) return;
    start.begin(span_, *by.tracing, [&] { return span_of(d, span_kind::producer, verb); });
  }
  verb_span(const verb_span&) = delete;
  verb_span& operator=(const verb_span&) = delete;
  ~verb_span() {
    if (!is_sampled() || d_.failed.size() == failed_before_) return;
    fail_as_thrown();
  }

  [[nodiscard]] bool is_sampled() const noexcept { return span_ && *span_; }
  void fail(const std::exception_ptr& why) noexcept { span_->fail(why); }

 private:
  void fail_as_thrown() noexcept;

  const component_run& d_;
  const std::size_t failed_before_;
  std::optional<thread_span> span_;
};

}  // namespace msgbus::sync::detail
