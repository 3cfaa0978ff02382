#pragma once

/// Rates, and figures of the last minute, from one reading after the other. Pure.

#include "monitor/reading.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace msgbus::monitoring {

/// A handler with one type of messages.
struct handler_now {
  std::string message = {};
  std::string handler = {};
  std::uint64_t calls = 0;  // that have ended
  double rate = 0;
  std::uint64_t running = 0;
  duration running_for = {};     // none of them has ended for so long, at least
  duration_figures minute = {};  // how long calls took
  bool is_plain = false;         // surely no coroutine
  std::string executor = {};     // on which it runs
};

/// A component, and what has become of it since the reading before and in the last minute.
struct component_now {
  struct counts_a_second {
    double offered = 0, rejected = 0, handled = 0, failed = 0, dropped = 0, abandoned = 0,
           unrouted = 0, repeated = 0;
  };

  component_reading is = {};
  bool is_new = true;  // it was not in the reading before
  counts_a_second rates = {};
  std::uint64_t came = 0;      // messages that were accepted since the reading before
  std::uint64_t settled = 0;   // messages that were settled since then
  duration_figures wait = {};  // of the last minute, as is the rest
  duration_figures handle = {};
  std::uint64_t unrouted = 0;
  std::map<std::string, std::uint64_t> breaker_changes = {};
  std::vector<handler_now> handlers = {};
};

/// A reading with all that.
struct figures_now {
  reading is = {};  // its components are below
  std::vector<component_now> components = {};
};

/// For one thread.
class history {
 public:
  [[nodiscard]] figures_now add(reading read);

 private:
  using handler_key = std::pair<std::string, std::string>;  // message and handler
  /// All figures as they were at a time.
  struct mark {
    time_point at;
    duration_figures wait = {};
    std::map<handler_key, duration_figures> handles = {};
    std::uint64_t unrouted = 0;
    std::map<std::string, std::uint64_t> breaker_changes = {};
  };
  struct run {
    std::uint64_t ended = 0;
    time_point since = {};  // none has ended since
    bool is_running = false;
  };
  struct tracked {
    component_reading before = {};
    time_point at = {};
    std::deque<mark> marks = {};  // the first is about a minute old
    std::map<handler_key, run> runs = {};
    bool seen = false;
  };

  [[nodiscard]] static component_now compare(tracked& with, component_reading now,
                                             const reading& in);

  std::map<std::string, tracked> components_;
};

/// The part of the durations that `part` of all are below, in nanoseconds; nothing: there are none.
/// Within a bucket they are taken to be spread evenly. The last bucket has no upper end: then it is
/// its lower one.
[[nodiscard]] std::optional<double> quantile(const duration_figures& of, double part);
/// How many took longer than this bound, which is one of the buckets'.
[[nodiscard]] std::uint64_t longer_than(const duration_figures& of, std::int64_t bound);
/// `strand of thread_pool 1` runs on `thread_pool 1`.
[[nodiscard]] std::string_view context_of(std::string_view executor);

}  // namespace msgbus::monitoring
