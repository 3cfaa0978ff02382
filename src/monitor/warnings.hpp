#pragma once

/// What a person should look at, from one reading after the other. Pure. The rules are in
/// docs/design/0034-monitor.md.

#include "monitor/history.hpp"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace msgbus::monitoring {

struct warning {
  std::string kind = {};
  std::string component = {};  // empty: an executor, or it has no name
  std::string text = {};
  double since = 0;
};

/// For one thread.
class warning_rules {
 public:
  /// -> those that hold now, the oldest first.
  [[nodiscard]] std::vector<warning> add(const figures_now& now);

 private:
  /// How long something has been so, without a reading in which it was not.
  struct period {
    time_point from;
    double time = 0;
    std::size_t waiting = 0;  // messages, at its begin
    bool seen = true;
  };
  using subject = std::tuple<std::string, std::string, std::string>;  // kind, component, further

  [[nodiscard]] const period& goes_on(const subject& key, const figures_now& now,
                                      std::size_t waiting = 0);
  void add(const char* kind, std::string component, const std::string& further, std::string text,
           const figures_now& now);

  void look_at_executors(const figures_now& now);
  void look_at_mailbox(const component_now& at, const figures_now& now);
  void look_at_pace(const component_now& at, const figures_now& now);
  void look_at_routes(const component_now& at, const figures_now& now);
  void look_at_threads(const component_now& at, const figures_now& now);
  void look_at_breakers(const component_now& at, const figures_now& now);
  void look_at_graph(const figures_now& now);

  std::map<subject, period> periods_;
  std::vector<warning> found_;
};

/// A handler that runs now, and for some time.
struct running_handler {
  const component_now* component;
  const handler_now* handler;
};
/// Those on this executor, the longest first.
[[nodiscard]] std::vector<running_handler> running_on(const std::string& executor,
                                                      const figures_now& now);

}  // namespace msgbus::monitoring
