#include <msgbus/testing/probe.hpp>

#include <msgbus/detail/core/durations.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace msgbus::testing {

namespace detail {

class probe_log final : public observer {
 public:
  void accepted(const step& of) noexcept override { add(seen::accepted, of); }
  void delivered(const step& of) noexcept override { add(seen::delivered, of); }
  void failed(const step& of, const std::exception_ptr& why) noexcept override {
    add(seen::failed, of, why);
  }
  void dropped(const step& of) noexcept override { add(seen::dropped, of); }
  void abandoned(const step& of) noexcept override { add(seen::abandoned, of); }
  void unrouted(const step& of) noexcept override { add(seen::unrouted, of); }
  void rejected(const step& of) noexcept override { add(seen::rejected, of); }

  void received(const step& of, std::any event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    note(seen::received, of, nullptr);
  }

  [[nodiscard]] std::vector<sighting> sightings() const {
    const std::lock_guard lock(mutex_);
    return sightings_;
  }

  [[nodiscard]] std::vector<std::any> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  [[nodiscard]] std::size_t count(seen kind) const {
    const std::lock_guard lock(mutex_);
    return counted(kind);
  }

  [[nodiscard]] bool wait(seen kind, std::size_t n, probe::duration within) const {
    std::unique_lock lock(mutex_);
    const auto until = detail::saturating_add(std::chrono::steady_clock::now(), within);
    while (counted(kind) < n) {
      if (std::chrono::steady_clock::now() >= until) return false;
      changed_.wait_until(lock, detail::within_an_hour(until));
    }
    return true;
  }

  void clear() {
    std::vector<std::any> events;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    events.swap(events_);
    sightings_.clear();
    counts_ = {};
  }

 private:
  void add(seen kind, const step& of, const std::exception_ptr& why = nullptr) noexcept {
    const std::lock_guard lock(mutex_);
    note(kind, of, why);
  }

  void note(seen kind, const step& of, const std::exception_ptr& why) {
    sightings_.push_back({kind, std::string(of.message), std::string(of.topic), why});
    ++counts_[static_cast<std::size_t>(kind)];
    changed_.notify_all();
  }

  [[nodiscard]] std::size_t counted(seen kind) const {
    return counts_[static_cast<std::size_t>(kind)];
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<sighting> sightings_;
  std::vector<std::any> events_;
  std::array<std::size_t, static_cast<std::size_t>(seen::rejected) + 1> counts_{};
};

void receive(probe_log& log, std::string_view message, std::string_view topic, std::any event) {
  log.received(msgbus::step{message, topic}, std::move(event));
}

}  // namespace detail

probe::probe() : log_(std::make_shared<detail::probe_log>()) {}

probe::operator std::shared_ptr<observer>() const { return log_; }

std::vector<sighting> probe::sightings() const { return log_->sightings(); }

std::vector<std::exception_ptr> probe::failures() const {
  std::vector<std::exception_ptr> all;
  for (const sighting& each : sightings()) {
    if (each.failure) all.push_back(each.failure);
  }
  return all;
}

std::size_t probe::count(seen kind) const { return log_->count(kind); }

bool probe::wait_for(std::size_t n, duration within) const {
  return wait_for(seen::received, n, within);
}

bool probe::wait_for(seen kind, std::size_t n, duration within) const {
  return log_->wait(kind, n, within);
}

bool probe::wait_for(stepping_context& context, std::size_t n) const {
  return wait_for(context, seen::received, n);
}

bool probe::wait_for(stepping_context& context, seen kind, std::size_t n) const {
  return context.run_until([&] { return count(kind) >= n; });
}

void probe::clear() { log_->clear(); }

std::vector<std::any> probe::events() const { return log_->events(); }

}  // namespace msgbus::testing
