#pragma once

/// Samples as text for Prometheus. Pure.

#include <msgbus/detail/observe/duration_histogram.hpp>

#include "metrics/metric_table.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::detail {

/// The value of a label, in quotes, whatever bytes it holds (O3). Bytes that are not UTF-8 become
/// U+FFFD.
[[nodiscard]] std::string label_value(std::string_view text);

/// Nanoseconds as seconds, exactly.
[[nodiscard]] std::string seconds(std::uint64_t nanoseconds);

/// The same as the value of a label `le`, in the one form that OpenMetrics has for it.
[[nodiscard]] std::string bound_in_seconds(std::int64_t nanoseconds);

enum class exposition { prometheus, openmetrics };

/// Families of samples. Samples with the same labels are summed up: a scrape has each series once.
class samples {
 public:
  using labels = std::vector<std::pair<std::string_view, std::string>>;

  void add(const metric& of, const labels& where, std::uint64_t value);
  void add(const metric& of, const labels& where, const duration_figures& values);
  [[nodiscard]] std::string text(exposition form) const;

  struct family {
    const metric* of;
    std::map<labels, std::uint64_t> values = {};
    std::map<labels, duration_figures> histograms = {};
  };
  [[nodiscard]] const std::vector<family>& families() const noexcept { return families_; }

 private:
  [[nodiscard]] family& family_of(const metric& of);
  std::vector<family> families_;
};

}  // namespace msgbus::detail
