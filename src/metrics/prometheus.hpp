#pragma once

/// Samples as text for Prometheus. Pure.

#include "metrics/metric_table.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::detail {

/// The value of a label, in quotes, whatever bytes it holds (O3). What is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string label_value(std::string_view text);

enum class exposition { prometheus, openmetrics };

/// Families of samples. Samples with the same labels are summed up: a scrape has each series once.
class samples {
 public:
  using labels = std::vector<std::pair<const char*, std::string>>;

  void add(const metric& of, labels where, std::uint64_t value);
  [[nodiscard]] std::string text(exposition form) const;

 private:
  struct family {
    const metric* of;
    std::map<std::string, std::uint64_t> values;  // by labels, as text
  };
  std::vector<family> families_;
};

}  // namespace msgbus::detail
