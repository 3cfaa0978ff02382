#include "durable/writer.hpp"

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace msgbus::durable::detail {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_group = 1ms;
constexpr auto longest_lazy = 5ms;
constexpr auto longest_gathering = 1ms;
constexpr std::size_t most_lazy = 256;
constexpr std::size_t woken_for = 32;  // transactions, while a group is gathered
constexpr auto longest_watch = 50us;
constexpr std::size_t watched_for = 8;  // transactions, of the group before, are few

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
      came_.fetch_add(1, std::memory_order_relaxed);
      if (urgent_.size() != wake_at_) return true;  // the thread is awake, or about to be
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
    came_.fetch_add(1, std::memory_order_relaxed);
  }
  changed_.notify_one();
  return true;
}

void writer::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    came_.fetch_add(1, std::memory_order_relaxed);
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

/// A coroutine that sends one transaction after the other brings the next one soon. If this thread
/// slept, that would have to wake it, and wait until it runs. It does not yield in the meantime:
/// where many want the processor, it would come back too late.
void writer::watch(std::unique_lock<std::mutex>& lock) {
  const auto seen = came_.load(std::memory_order_relaxed);
  const auto until = clock::now() + std::min<clock::duration>(before_.commit / 4, longest_watch);
  lock.unlock();
  while (came_.load(std::memory_order_relaxed) == seen && clock::now() < until) {
  }
  lock.lock();
}

writer::work writer::take(const outbox& in) {
  work taken;
  bool has_watched = false;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = clock::now();
    const bool lazy_is_due = !lazy_.empty() && (stopping_ || lazy_.size() >= most_lazy ||
                                                now >= lazy_since_ + longest_lazy);
    taken.is_due = !stopping_ && now >= host_.release_not_before() && in.next_due() &&
                   *in.next_due() <= to_file(wall_clock::now());
    taken.is_time_to_look = now >= looked_at_ + host_.look_again_after();
    if (!errands_.empty() || lazy_is_due || taken.is_due || taken.is_time_to_look) break;
    if (!urgent_.empty()) break;
    if (stopping_) {
      taken.is_over = true;
      return taken;
    }
    if (!std::exchange(has_watched, true) && before_.size < watched_for) {
      watch(lock);
      continue;
    }
    clock::time_point until = next_wake(in, now);
    if (!lazy_.empty()) until = std::min(until, lazy_since_ + longest_lazy);
    changed_.wait_until(lock, until);
  }
  taken.errands.swap(errands_);
  if (!urgent_.empty() && urgent_.front()->is_exclusive()) {
    exclusive_ = urgent_.front();
    taken.group.push_back(std::move(urgent_.front()));
    urgent_.pop_front();
    return taken;
  }
  take_urgent(taken.group, most_together());
  take_lazy(taken.group);  // they have waited long enough, or join the commit
  return taken;
}

void writer::take_urgent(jobs& into, std::size_t most) {
  const auto first = urgent_.begin();
  const auto limit = first + static_cast<std::ptrdiff_t>(std::min(most, urgent_.size()));
  const auto last = std::find_if(first, limit, [](const auto& one) { return one->is_exclusive(); });
  into.insert(into.end(), std::move_iterator(first), std::move_iterator(last));
  urgent_.erase(first, last);
}

void writer::take_lazy(jobs& into) {
  std::move(lazy_.begin(), lazy_.end(), std::back_inserter(into));
  lazy_.clear();
}

/// Without this, the first of 256 coroutines that go on would get a commit for itself, and the
/// others the next one. What has come is run meanwhile.
bool writer::take_more(jobs& group, std::size_t transactions, clock::time_point until) {
  const std::size_t before = group.size();
  const std::size_t most = most_together();
  const std::size_t wanted = std::min(before_.size, most);
  std::unique_lock lock(mutex_);
  while (urgent_.empty() && transactions < wanted && !stopping_) {
    wake_at_ = std::min(wanted - transactions, woken_for);
    const bool in_time =
        changed_.wait_until(lock, until, [&] { return urgent_.size() >= wake_at_ || stopping_; });
    if (!in_time) break;
  }
  wake_at_ = 1;
  if (transactions < most) take_urgent(group, most - transactions);
  if (group.size() == before) take_lazy(group);
  return group.size() != before;
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
      host_.group_ended();
      const std::lock_guard lock(mutex_);
      exclusive_.reset();
    } else if (!now.group.empty()) {
      commit_group(in, std::move(now.group));
    }
    for (const errand& each : now.errands) each(in);
    if (now.is_time_to_look) {
      looked_at_ = clock::now();
      host_.look_after();
    }
  }
}

void writer::commit_group(outbox& in, jobs group) {
  attempt made = try_to_commit(in, group, savepoints::none);
  if (made.one_has_failed && group.size() > 1) made = try_to_commit(in, group, savepoints::each);
  if (!made.lost || !made.has_begun || group.size() == 1) {
    tell(std::move(group), made);
  } else {
    // Alone each of them fails only for its own reasons.
    for (auto& each : group) {
      jobs alone{std::move(each)};
      const attempt result = try_to_commit(in, alone, savepoints::each);
      tell(std::move(alone), result);
    }
  }
}

void writer::tell(jobs group, const attempt& of) {
  if (of.lost) {
    for (const auto& each : group) each->failed(of.lost);
  } else {
    const std::size_t tried = of.results.size();
    {
      exec::event_batch waiting;  // it holds contexts, so no function of the program runs meanwhile
      for (std::size_t i = 0; i < tried; ++i) {
        if (!of.results[i]) group[i]->committed(waiting);
      }
    }
    for (std::size_t i = 0; i < tried; ++i) {
      if (of.results[i]) group[i]->failed(of.results[i]);
    }
    give_back(std::span(group).subspan(tried));
  }
  host_.group_ended();
  group.clear();  // behind the callers, so that most units are destroyed by their threads
}

writer::attempt writer::try_to_commit(outbox& in, jobs& group, savepoints kept) {
  attempt made;
  try {
    step("begin: before");
    in.begin();
    made.has_begun = true;
    step("begin: after");
    run_group(in, group, kept, made);
    step("commit: before");
    const auto committing = clock::now();
    in.commit();
    count_commit(made.transactions);
    if (made.transactions != 0) before_ = {made.transactions, clock::now() - committing};
    step("commit: after");
  } catch (...) {
    made.lost = std::current_exception();
    in.roll_back();
  }
  return made;
}

void writer::run_group(outbox& in, jobs& group, savepoints kept, attempt& into) {
  const auto begun = clock::now();
  const auto until = begun + longest_group;
  const auto gather_until =
      begun + std::min<clock::duration>(before_.commit / 4, longest_gathering);
  while (run_rest(in, group, kept, until, into) && kept == savepoints::none) {
    if (!take_more(group, into.transactions, gather_until)) break;
  }
}

bool writer::run_rest(outbox& in, const jobs& group, savepoints kept, clock::time_point until,
                      attempt& into) {
  while (into.results.size() < group.size()) {
    job& one = *group[into.results.size()];
    std::exception_ptr failure = run_one(in, one, kept);
    into.one_has_failed = failure && kept == savepoints::none;
    if (into.one_has_failed) std::rethrow_exception(failure);
    // Some failures end the transaction of all: a full disk, an I/O error, `on conflict rollback`.
    if (!in.file().in_transaction()) {
      if (failure) std::rethrow_exception(failure);
      throw error(errc::database_failed,
                  in.file().file() + ": a statement has ended the transaction");
    }
    in.write_some();
    if (!failure && one.is_transaction()) ++into.transactions;
    into.results.push_back(std::move(failure));
    if (clock::now() >= until) return false;
  }
  return true;
}

std::exception_ptr writer::run_one(outbox& in, job& one, savepoints kept) {
  connection& file = in.file();
  const std::size_t before = in.to_write();
  if (kept == savepoints::each) file.run(file.prepared("savepoint one"));
  try {
    one.run(in);
  } catch (...) {
    std::exception_ptr why = std::current_exception();
    in.forget_behind(before);
    if (kept == savepoints::each && file.in_transaction()) {
      file.run(file.prepared("rollback to one"));
      file.run(file.prepared("release one"));
    }
    return why;
  }
  if (kept == savepoints::each) file.run(file.prepared("release one"));
  return nullptr;
}

void writer::count_commit(std::size_t transactions) noexcept {
  commits_.fetch_add(1, std::memory_order_relaxed);
  if (transactions == 0) return;
  const auto* const found = std::lower_bound(size_bounds.begin(), size_bounds.end(), transactions);
  sizes_[static_cast<std::size_t>(found - size_bounds.begin())].fetch_add(
      1, std::memory_order_relaxed);
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
