#pragma once

/// A tracer that keeps its spans, for tests.

#include <msgbus/tracer.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus_test {

/// Thread-safe.
class kept_spans : public msgbus::tracer {
 public:
  using tracer::tracer;

  void ended(const msgbus::span_data& span) override {
    const std::lock_guard lock(mutex_);
    spans_.push_back(span);
  }

  [[nodiscard]] std::vector<msgbus::span_data> all() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  [[nodiscard]] std::size_t size() const { return all().size(); }
  /// In the order in which they ended.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& each : all()) names.push_back(each.name);
    return names;
  }
  /// The only one of that name, or the one at that place among them.
  [[nodiscard]] msgbus::span_data at(std::string_view name, std::size_t place = 0) const {
    for (const auto& each : all()) {
      if (each.name == name && place-- == 0) return each;
    }
    FAIL("no span is called " << name);
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<msgbus::span_data> spans_;
};

/// The text of an attribute; empty: there is none.
inline std::string text_of(const msgbus::span_data& span, std::string_view key) {
  const auto there = std::ranges::find(span.attributes, key, &msgbus::attribute::key);
  return there == span.attributes.end() ? std::string() : std::get<std::string>(there->value);
}

/// Whether the span is directly below the other one.
inline bool is_below(const msgbus::span_data& span, const msgbus::span_data& parent) {
  return span.context.trace_id == parent.context.trace_id && span.parent == parent.context.span_id;
}

}  // namespace msgbus_test
