#include "durable/writer.hpp"

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::durable::detail {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_group = 1ms;
constexpr auto longest_lazy = 5ms;
constexpr auto longest_gathering = 1ms;
constexpr std::size_t most_lazy = 256;

}  // namespace

void writer::start(opened_function opened) {
  thread_ = std::thread([this, opened = std::move(opened)] { run(opened); });
}

bool writer::submit(std::shared_ptr<job> added, urgency when) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    if (when == urgency::now) {
      urgent_.push_back(std::move(added));
      // Else the thread is awake, or about to be.
      if (urgent_.size() != 1 && urgent_.size() != wanted_) return true;
    } else {
      if (lazy_.empty()) lazy_since_ = clock::now();
      lazy_.push_back(std::move(added));
      if (lazy_.size() != 1 && lazy_.size() != most_lazy) return true;
    }
  }
  changed_.notify_one();
  return true;
}

bool writer::call(errand added) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    errands_.push_back(std::move(added));
  }
  changed_.notify_one();
  return true;
}

void writer::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (exclusive_) exclusive_->abort();
    for (const auto& each : urgent_) {
      if (each->is_exclusive()) each->abort();
    }
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void writer::run(const opened_function& opened) {
  std::unique_ptr<outbox> in;
  try {
    in = std::make_unique<outbox>(options_);
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    opened(std::current_exception());
    return;
  }
  opened(nullptr);
  loop(*in);
  try {
    in->checkpoint();
  } catch (...) {
    host_.report("the last checkpoint", std::current_exception());
  }
}

writer::clock::time_point writer::next_wake(const outbox& in, clock::time_point now) const {
  clock::time_point next = looked_at_ + host_.look_again_after();
  if (const auto due = in.next_due()) {
    const auto left = std::chrono::milliseconds(*due - to_file(wall_clock::now()));
    const auto then = now + std::clamp<clock::duration>(left, 0ms, 1h);
    next = std::min(next, std::max(then, host_.release_not_before()));
  }
  return next;
}

/// Without this, the first of 256 coroutines that go on would get a commit for itself, and the
/// others the next one. Waits a quarter of a commit at most, once for each group.
bool writer::is_gathering(clock::time_point now) {
  const std::size_t wanted = std::min(before_.size, std::max<std::size_t>(options_.max_batch, 1));
  const bool is_enough = urgent_.size() >= wanted || urgent_.front()->is_exclusive();
  if (stopping_ || is_enough) {
    wanted_ = 0;
    return false;
  }
  if (wanted_ == 0) {
    wanted_ = wanted;
    gather_until_ = now + std::min<clock::duration>(before_.commit / 4, longest_gathering);
  }
  if (now < gather_until_) return true;
  wanted_ = 0;
  return false;
}

writer::work writer::take(const outbox& in) {
  work taken;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = clock::now();
    const bool lazy_is_due = !lazy_.empty() && (stopping_ || lazy_.size() >= most_lazy ||
                                                now >= lazy_since_ + longest_lazy);
    taken.is_due = !stopping_ && now >= host_.release_not_before() && in.next_due() &&
                   *in.next_due() <= to_file(wall_clock::now());
    taken.is_time_to_look = now >= looked_at_ + host_.look_again_after();
    if (!errands_.empty() || lazy_is_due || taken.is_due || taken.is_time_to_look) break;
    const bool has_urgent = !urgent_.empty();
    const bool gathers = has_urgent && is_gathering(now);
    if (has_urgent && !gathers) break;
    if (stopping_) {
      taken.is_over = true;
      return taken;
    }
    clock::time_point until = next_wake(in, now);
    if (!lazy_.empty()) until = std::min(until, lazy_since_ + longest_lazy);
    if (gathers) until = std::min(until, gather_until_);
    changed_.wait_until(lock, until);
  }
  taken.errands.swap(errands_);
  if (!urgent_.empty() && urgent_.front()->is_exclusive()) {
    exclusive_ = urgent_.front();
    taken.group.push_back(std::move(urgent_.front()));
    urgent_.pop_front();
    return taken;
  }
  while (!urgent_.empty() && !urgent_.front()->is_exclusive() &&
         taken.group.size() < std::max<std::size_t>(options_.max_batch, 1)) {
    taken.group.push_back(std::move(urgent_.front()));
    urgent_.pop_front();
  }
  // Lazy ones join the commit, or have waited long enough.
  std::move(lazy_.begin(), lazy_.end(), std::back_inserter(taken.group));
  lazy_.clear();
  wanted_ = 0;
  return taken;
}

void writer::loop(outbox& in) {
  for (;;) {
    work now = take(in);
    if (now.is_over) return;
    if (now.is_due) {
      if (auto due = host_.release_due()) now.group.push_back(std::move(due));
    }
    if (!now.group.empty() && now.group.front()->is_exclusive()) {
      now.group.front()->run(in);
      const std::lock_guard lock(mutex_);
      exclusive_.reset();
    } else if (!now.group.empty()) {
      commit_group(in, now.group);
    }
    for (const errand& each : now.errands) each(in);
    if (now.is_time_to_look) {
      looked_at_ = clock::now();
      host_.look_after();
    }
  }
}

void writer::commit_group(outbox& in, std::span<const std::shared_ptr<job>> group) {
  std::vector<std::exception_ptr> results(group.size());
  std::size_t tried = 0;
  bool has_begun = false;
  std::exception_ptr lost;
  try {
    step("begin: before");
    in.begin();
    has_begun = true;
    step("begin: after");
    tried = run_group(in, group, results);
    step("commit: before");
    const auto committing = clock::now();
    in.commit();
    const std::size_t size = count_commit(group.first(tried));
    if (size != 0) before_ = {size, clock::now() - committing};
    step("commit: after");
  } catch (...) {
    lost = std::current_exception();
    in.roll_back();
  }
  if (!lost) {
    for (std::size_t i = 0; i < tried; ++i) {
      if (results[i]) {
        group[i]->failed(results[i]);
      } else {
        group[i]->committed();
      }
    }
    give_back(group.subspan(tried));
  } else if (!has_begun || group.size() == 1) {
    for (const auto& each : group) each->failed(lost);
  } else {
    // Alone each of them fails only for its own reasons.
    for (std::size_t i = 0; i < group.size(); ++i) commit_group(in, group.subspan(i, 1));
  }
}

std::size_t writer::run_group(outbox& in, std::span<const std::shared_ptr<job>> group,
                              std::vector<std::exception_ptr>& results) {
  const auto until = clock::now() + longest_group;
  std::size_t tried = 0;
  while (tried < group.size()) {
    results[tried] = run_one(in, *group[tried]);
    // Some failures end the transaction of all: a full disk, an I/O error, `on conflict rollback`.
    if (!in.file().in_transaction()) {
      if (results[tried]) std::rethrow_exception(results[tried]);
      throw error(errc::database_failed,
                  in.file().file() + ": a statement has ended the transaction");
    }
    ++tried;
    if (clock::now() >= until) break;
  }
  return tried;
}

std::exception_ptr writer::run_one(outbox& in, job& one) {
  connection& file = in.file();
  const bool is_single = one.is_single();
  if (!is_single) file.run(file.prepared("savepoint one"));
  try {
    one.run(in);
  } catch (...) {
    const std::exception_ptr why = std::current_exception();
    if (!is_single && file.in_transaction()) {
      file.run(file.prepared("rollback to one"));
      file.run(file.prepared("release one"));
    }
    return why;
  }
  if (!is_single) file.run(file.prepared("release one"));
  return nullptr;
}

std::size_t writer::count_commit(std::span<const std::shared_ptr<job>> group) noexcept {
  commits_.fetch_add(1, std::memory_order_relaxed);
  const auto size = static_cast<std::size_t>(std::count_if(
      group.begin(), group.end(), [](const auto& each) { return each->is_transaction(); }));
  if (size == 0) return size;
  const auto* const found = std::lower_bound(size_bounds.begin(), size_bounds.end(), size);
  sizes_[static_cast<std::size_t>(found - size_bounds.begin())].fetch_add(
      1, std::memory_order_relaxed);
  return size;
}

writer::size_counts writer::sizes() const noexcept {
  size_counts all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = sizes_[i].load(std::memory_order_relaxed);
  return all;
}

void writer::give_back(std::span<const std::shared_ptr<job>> rest) {
  if (rest.empty()) return;
  const std::lock_guard lock(mutex_);
  urgent_.insert(urgent_.begin(), rest.begin(), rest.end());
}

}  // namespace msgbus::durable::detail
