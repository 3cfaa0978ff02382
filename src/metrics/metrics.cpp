#include <msgbus/metrics.hpp>

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/error.hpp>

#include "metrics/figures.hpp"

#include <algorithm>
#include <optional>

namespace msgbus {

namespace {

// Made before `main`.
const std::chrono::system_clock::time_point start = std::chrono::system_clock::now();

void check_name(std::string_view name, bool is_there) {
  if (name.empty()) throw error(errc::bad_arguments, "metrics::add needs a name for the object");
  if (is_there) {
    throw error(errc::bad_arguments,
                "metrics have an object named '" + std::string(name) + "' already");
  }
}

}  // namespace

std::chrono::system_clock::time_point detail::program_start() noexcept { return start; }

metrics::metrics(const async::host& host, metrics_options options)
    : options_(options), of_host_(async::detail::host_access::members(host)) {
  (void)read();  // begins to measure
}

metrics::~metrics() = default;

void metrics::add(member added) {
  {
    const std::lock_guard lock(mutex_);
    const auto same = [&](const member& each) { return each->name() == added->name(); };
    check_name(added->name(), std::ranges::any_of(added_, same));
    added_.push_back(std::move(added));
  }
  (void)read();  // begins to measure
}

void metrics::add(std::shared_ptr<const circuit_breaker> breaker) {
  if (!breaker) throw error(errc::bad_arguments, "metrics::add needs a circuit breaker, not null");
  const std::lock_guard lock(mutex_);
  const auto same = [&](const auto& each) { return each->name() == breaker->name(); };
  check_name(breaker->name(), std::ranges::any_of(breakers_, same));
  breakers_.push_back(std::move(breaker));
}

namespace {

template <class T>
void add_named(std::vector<std::pair<std::string, std::shared_ptr<const T>>>& to, std::string name,
               std::shared_ptr<const T> added) {
  if (!added)
    throw error(errc::bad_arguments, "metrics::add needs an object for '" + name + "', not null");
  const auto same = [&](const auto& each) { return each.first == name; };
  check_name(name, std::ranges::any_of(to, same));
  to.emplace_back(std::move(name), std::move(added));
}

}  // namespace

void metrics::add(std::string name, std::shared_ptr<const rate_limiter> limiter) {
  const std::lock_guard lock(mutex_);
  add_named(limiters_, std::move(name), std::move(limiter));
}

void metrics::add(std::string name, std::shared_ptr<const async::dead_letters> letters) {
  const std::lock_guard lock(mutex_);
  add_named(letters_, std::move(name), std::move(letters));
}

void metrics::add(std::string name, std::shared_ptr<const counting_observer> observer) {
  const std::lock_guard lock(mutex_);
  add_named(observers_, std::move(name), std::move(observer));
}

std::vector<metrics::member> metrics::all_locked() const {
  std::vector<member> all;
  if (of_host_) all = of_host_();
  for (const member& each : added_) {
    const auto same = [&](const member& other) { return other->name() == each->name(); };
    if (std::ranges::none_of(all, same)) all.push_back(each);  // the host's name comes first
  }
  return all;
}

metrics::watched& metrics::watched_locked(const member& of) const {
  const auto found = std::ranges::find(watched_, of, &watched::of);
  if (found != watched_.end()) return *found;
  watched& added = watched_.emplace_back();
  added.of = of;
  if (!options_.times) return added;
  added.times = of->measure(options_.sample);
  added.operations = of->measure_operations();
  return added;
}

metrics::figures metrics::read() const {
  figures all;
  const std::lock_guard lock(mutex_);
  all.limiters = limiters_;
  all.letters = letters_;
  all.observers = observers_;
  for (const auto& each : breakers_) all.breakers.emplace_back(each->name(), each);
  std::erase_if(watched_, [](const watched& each) { return !each.of->exists(); });
  for (const member& each : all_locked()) {
    if (!each->exists()) continue;
    const watched& its = watched_locked(each);
    const auto& name = each->name();
    if (auto store = each->store()) all.stores.push_back({name, std::move(*store)});
    for (auto& link : each->links()) all.links.push_back({name, std::move(link)});
    for (auto& one : each->operations()) all.operations.push_back({name, std::move(one)});
    std::optional<async::component_stats> stats = each->stats();
    if (!stats) continue;
    auto& added =
        all.components.emplace_back(detail::component_figures{std::move(*stats), each->details()});
    if (!its.times) continue;
    added.is_timed = all.has_times = true;
    added.waits = its.times->times().waits.read();
    added.handles = its.times->times().handles.read();
  }
  return all;
}

std::string metrics::prometheus() const {
  return read().as_samples().text(detail::exposition::prometheus);
}

std::string metrics::openmetrics() const {
  return read().as_samples().text(detail::exposition::openmetrics);
}

std::string metrics::json() const { return read().as_json(); }

std::vector<metric_data> metrics::collect() const { return read().as_data(); }

}  // namespace msgbus
