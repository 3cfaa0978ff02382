#pragma once

/// The figures of a metric, in the words of OpenTelemetry.

#include <msgbus/span.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <variant>
#include <vector>

namespace msgbus {

/// What the values of a metric are.
enum class metric_kind : std::uint8_t {
  sum,       ///< a count, which never decreases
  gauge,     ///< a value of this moment
  histogram  ///< durations, by how long they were
};
/// Writes `sum`, `gauge` or `histogram`.
std::ostream& operator<<(std::ostream& out, metric_kind value);

/// A metric with all its values. Counts and histograms are cumulative: of all since a point's
/// `since`.
struct metric_data {
  /// The value for one set of attributes.
  struct point {
    std::vector<attribute> attributes = {};  ///< each key once
    /// The begin of what is counted; not of a gauge.
    std::chrono::system_clock::time_point since = {};
    std::variant<std::int64_t, double> value = {};  ///< of a histogram: the sum
    std::vector<std::uint64_t> buckets = {};  ///< of a histogram: one for each bound, and one more
  };

  std::string name;                     ///< such as `messaging.process.duration`
  std::string description = {};         ///< in one sentence
  std::string unit = {};                ///< such as `s` or `{message}`
  metric_kind kind = metric_kind::sum;  ///< what its values are
  std::vector<double> bounds = {};      ///< of a histogram: the upper ones, in seconds
  std::vector<point> points = {};       ///< each set of attributes once
};
std::ostream& operator<<(std::ostream& out, const metric_data& value);

}  // namespace msgbus
