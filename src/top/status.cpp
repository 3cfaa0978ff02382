#include "top/status.hpp"

#include "top/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace msgbus::top {

namespace {

using nlohmann::json;

constexpr double nearly_full = 0.8;
constexpr double lately = 60;  // seconds

std::string text(const json& object, const char* name) {
  return printable(object.at(name).get_ref<const std::string&>());
}

std::optional<quantiles> times(const json& value) {
  if (value.is_null()) return {};
  return quantiles{value.at("p50").get<double>(), value.at("p99").get<double>()};
}

/// 0 is the best.
int rank(std::string_view breaker) {
  if (breaker == "open" || breaker == "isolated") return 2;
  return breaker == "half_open" ? 1 : 0;
}

/// What the page adds for each trouble (troubles() of src/monitor/page/model.js).
class weights {
 public:
  void add(int weight, level how_bad) {
    sum_ += weight;
    worst_ = std::max(worst_, how_bad);
  }
  void store(row& to) const {
    to.trouble = sum_;
    to.worst = worst_;
  }

 private:
  int sum_ = 0;
  level worst_ = level::good;
};

void weigh(row& one, const json& component, const json& document) {
  weights all;
  const auto names_it = [&](const json& each) {
    return each.at("components").is_array() &&
           std::ranges::find(each.at("components"), component.at("name")) !=
               each.at("components").end();
  };
  if (std::ranges::any_of(document.at("stalled"), names_it)) all.add(1000, level::bad);
  for (const json& breaker : component.at("breakers")) {
    const int worse = rank(breaker.at("state").get_ref<const std::string&>());
    if (worse == 2) all.add(200, level::bad);
    if (worse == 1) all.add(50, level::warn);
  }
  if (one.failed > 0) {
    const double share = one.failed / (one.failed + one.handled);
    all.add(100 + static_cast<int>(std::lround(90 * share)), level::bad);
  }
  if (one.lost > 0) all.add(100, level::bad);
  if (one.capacity > 0 &&
      static_cast<double>(one.waiting) >= nearly_full * static_cast<double>(one.capacity)) {
    all.add(80, level::warn);
  }
  if (one.blocked_senders > 0) all.add(60, level::warn);
  if (one.unrouted > 0) all.add(40, level::warn);
  const auto warned = std::ranges::count_if(document.at("warnings"), [&](const json& each) {
    return each.at("component") == component.at("name");
  });
  if (warned > 0) all.add(50 * static_cast<int>(warned), level::warn);
  if (one.dead_letters > 0) all.add(10, level::good);
  if (one.error_age && *one.error_age < lately) all.add(20, level::good);
  if (one.oldest >= 1) {
    all.add(static_cast<int>(std::min(9L, std::lround(std::log2(one.oldest)))), level::good);
  }
  all.store(one);
}

row read_row(const json& component, const json& document) {
  const json& rates = component.at("rates");
  const auto rate = [&](const char* name) { return rates.at(name).get<double>(); };
  row made;
  made.name = text(component, "name");
  made.kind = text(component, "kind");
  made.executor = text(component, "executor");
  made.state = text(component, "state");
  component.at("waiting").get_to(made.waiting);
  component.at("capacity").get_to(made.capacity);
  component.at("oldest").get_to(made.oldest);
  component.at("in_flight").get_to(made.in_flight);
  component.at("limit").get_to(made.limit);
  made.offered = rate("offered");
  made.handled = rate("handled");
  made.failed = rate("failed");
  made.lost = rate("dropped") + rate("rejected") + rate("abandoned");
  made.unrouted = rate("unrouted");
  made.retries = rate("retries");
  made.wait = times(component.at("wait"));
  made.handle = times(component.at("handle"));
  component.at("dead_letters").get_to(made.dead_letters);
  component.at("blocked_senders").get_to(made.blocked_senders);
  for (const json& breaker : component.at("breakers")) {
    const std::string state = text(breaker, "state");
    if (made.breaker.empty() || rank(state) > rank(made.breaker)) made.breaker = state;
  }
  if (const json& last = component.at("last_error"); !last.is_null()) {
    made.error = text(last, "text");
    made.error_age =
        std::max(0.0, document.at("time").get<double>() - last.at("time").get<double>());
  }
  weigh(made, component, document);
  return made;
}

std::string stalled_sentence(const json& one) {
  std::string made =
      text(one, "executor") + " has not answered for " + duration(one.at("seconds").get<double>());
  const char* before = ": ";
  for (const json& running : one.at("running")) {
    made += before + text(running, "handler") + " of " + text(running, "component");
    before = ", ";
  }
  return made;
}

status from(const json& document) {
  if (!document.is_object() || !document.contains("version")) {
    throw not_a_monitor("its answer is not that of a monitor of msgbus");
  }
  if (document.at("version") != 1) {
    throw not_a_monitor("its documents have version " + document.at("version").dump() +
                        ", and this program reads version 1");
  }
  status made;
  made.title = text(document, "title");
  made.version = text(document, "msgbus");
  made.state = text(document, "state");
  document.at("time").get_to(made.time);
  document.at("since").get_to(made.since);
  for (const json& each : document.at("components")) {
    made.rows.push_back(read_row(each, document));
  }
  for (const json& each : document.at("stalled")) made.stalled.push_back(stalled_sentence(each));
  for (const json& each : document.at("warnings")) {
    if (each.at("kind") == "stalled_executor") continue;  // told above
    const std::string name = text(each, "component");
    made.warnings.push_back((name.empty() ? "" : name + ": ") + text(each, "text"));
  }
  return made;
}

}  // namespace

status read_status(std::string_view document) {
  try {
    return from(json::parse(document));
  } catch (const json::exception&) {
    throw not_a_monitor("its answer is not that of a monitor of msgbus");
  }
}

}  // namespace msgbus::top
