#pragma once

/// What the answers said, added up: what the server's books, its audit log and its followers are
/// compared with.

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace load {

using json = nlohmann::ordered_json;

struct sums {
  std::int64_t accounts = 0;
  std::int64_t deposited = 0;
  std::int64_t withdrawn = 0;
  std::int64_t set_aside = 0;
  std::int64_t orders_placed = 0;
  std::int64_t orders_cancelled = 0;

  friend bool operator==(const sums&, const sums&) = default;
};

/// Latencies, in microseconds.
class latencies {
 public:
  void add(std::chrono::steady_clock::duration took);
  /// The one that `share` of them are not above; 0 if there are none.
  [[nodiscard]] double quantile_ms(double share);
  [[nodiscard]] std::size_t count() const { return all_.size(); }
  void clear() { all_.clear(); }

 private:
  std::vector<std::uint32_t> all_;
};

class tally {
 public:
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::map<std::string, std::uint64_t> outcomes;  ///< "ok", or the code of an error
  std::vector<std::int64_t> orders;               ///< that were placed, by their numbers

  /// Adds what an accepted command did. `amount` is what it asked for, if that is no order.
  void add(std::string_view command, const json& result, std::int64_t amount);

  [[nodiscard]] const load::sums& sums() const { return sums_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  /// How many notices a follower of topics that begin so is to get.
  [[nodiscard]] std::uint64_t notices(std::string_view prefix) const;

  latencies second;  ///< of the current one
  latencies whole;

 private:
  load::sums sums_;
  std::uint64_t events_ = 0;
  std::map<std::string, std::uint64_t> topics_;
};

/// The same sums, from a file of the audit log. Its lines must be numbered without a gap.
struct audited {
  load::sums sums;
  std::uint64_t lines = 0;
  bool in_order = true;
};
[[nodiscard]] audited read_audit(const std::string& file);

}  // namespace load
