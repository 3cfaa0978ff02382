#include <msgbus/detail/observe/handling_times.hpp>

#include <msgbus/detail/observe/duration_histogram.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <random>

namespace msgbus::detail {

namespace {

std::int64_t steady_nanoseconds() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

constinit times_clock clock_of_times = &steady_nanoseconds;
constinit thread_local std::int64_t handled_until = 0;
constinit thread_local std::uint64_t random_state = 0;

void seed_random() noexcept {
  static const std::uint64_t seed = std::random_device()();
  // The address differs between threads.
  random_state =
      (seed << 32U) ^ reinterpret_cast<std::uintptr_t>(&random_state) ^ 0x9e3779b97f4a7c15U;
}

struct times_table::series : times_series {
  times_names names;
  std::atomic<series*> next{nullptr};
  bool is_used = true;  // under the lock
};

/// An open hash table that only gains keys. One that is full is replaced.
struct times_table::slots {
  struct slot {
    std::atomic<series*> to{nullptr};  // set last: null is a free slot
    times_key key{nullptr};
  };

  explicit slots(std::size_t many) : mask(many - 1), all(many) {}

  [[nodiscard]] static std::size_t hash(times_key key) noexcept {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
    const auto type = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(key.type));
    return static_cast<std::size_t>((((type >> 4U) + key.handler) * odd) >> 32U);
  }

  [[nodiscard]] series* find(times_key key) const noexcept {
    for (std::size_t at = hash(key) & mask;; at = (at + 1) & mask) {
      series* const found = all[at].to.load(std::memory_order_acquire);
      if (!found || all[at].key == key) return found;
    }
  }

  void insert(times_key key, series& to) noexcept {
    std::size_t at = hash(key) & mask;
    while (all[at].to.load(std::memory_order_relaxed)) at = (at + 1) & mask;
    all[at].key = key;
    all[at].to.store(&to, std::memory_order_release);
    ++filled;
  }

  [[nodiscard]] bool is_full() const noexcept { return 2 * filled > mask; }

  const std::size_t mask;
  std::size_t filled = 0;
  std::vector<slot> all;
};

times_table::times_table() : slots_(new slots(8)) {}

times_table::~times_table() {
  const std::unique_ptr<slots> gone(slots_.load(std::memory_order_acquire));
  for (series* each = first_.load(std::memory_order_acquire); each;) {
    const std::unique_ptr<series> one(each);
    each = one->next.load(std::memory_order_relaxed);
  }
}

times_series* times_table::find(times_key key) const noexcept {
  return slots_.load(std::memory_order_acquire)->find(key);
}

times_table::series& times_table::series_for(times_names names) {
  auto& same = by_name_[{names.message, names.handler}];
  const auto unused = std::ranges::find_if(same, [](const series* each) { return !each->is_used; });
  if (unused != same.end()) {
    (*unused)->is_used = true;
    (*unused)->waits.store(nullptr, std::memory_order_relaxed);  // of another type, perhaps
    return **unused;
  }
  if (!same.empty()) names.handler += " (" + std::to_string(same.size() + 1) + ')';
  auto made = std::make_unique<series>();
  made->names = std::move(names);
  same.push_back(made.get());
  series& added = *made.release();
  end_->store(&added, std::memory_order_release);
  end_ = &added.next;
  return added;
}

times_table::addition times_table::add(const routing::domain& guarded, times_key key,
                                       times_names names) {
  routing::retire_list old;
  const auto added = [&]() -> addition {
    const std::lock_guard lock(mutex_);
    if (const auto found = keys_.find(key); found != keys_.end()) return {*found->second, false};
    series& to = series_for(std::move(names));
    keys_.emplace(key, &to);
    slots* const now = slots_.load(std::memory_order_relaxed);
    if (!now->is_full()) {
      now->insert(key, to);
      return {to, true};
    }
    // With the keys that are left: those of handlers that have gone are not among them.
    auto larger = std::make_unique<slots>(std::bit_ceil(4 * keys_.size()));
    for (const auto& [each, its] : keys_) larger->insert(each, *its);
    slots_.store(larger.release(), std::memory_order_release);
    old.add(std::unique_ptr<slots>(now));
    return {to, true};
  }();
  routing::retire_later(guarded, std::move(old));
  return added;
}

void times_table::remove(times_key key) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  found->second->is_used = false;
  keys_.erase(found);
}

std::vector<times_table::figures> times_table::read() const {
  std::vector<figures> all;
  for (const series* each = first_.load(std::memory_order_acquire); each;
       each = each->next.load(std::memory_order_acquire)) {
    figures& added = all.emplace_back(figures{each->names, each->times.read()});
    const duration_histogram* const failed = each->failed.get();
    if (!failed) continue;
    added.failed = failed->read();
    added.times += added.failed;
  }
  return all;
}

std::vector<times_table::followed> times_table::read_followed() const {
  std::vector<followed> all;
  for (const series* each = first_.load(std::memory_order_acquire); each;
       each = each->next.load(std::memory_order_acquire)) {
    const running_calls* const calls = each->calls.get();
    followed& added = all.emplace_back(followed{each->names, each->times.read(),
                                                calls ? calls->read() : running_calls::figures{}});
    const duration_histogram* const failed = each->failed.get();
    if (failed) added.times += failed->read();
  }
  return all;
}

}  // namespace msgbus::detail
