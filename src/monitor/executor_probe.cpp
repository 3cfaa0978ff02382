#include "monitor/executor_probe.hpp"

#include <asio/execution/outstanding_work.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace msgbus::monitoring {

namespace {

// An executor that tracks work would keep its context running.
asio::any_io_executor untracked(const asio::any_io_executor& of) {
  return asio::prefer(of, asio::execution::outstanding_work.untracked);
}

}  // namespace

executor_probe::executor_probe(const asio::any_io_executor& of) : executor_(untracked(of)) {
  if (!link(executor_)) executor_ = {};
}

bool executor_probe::is_of(const asio::any_io_executor& executor) const {
  const std::lock_guard lock(mutex_);
  return executor_ && executor_ == executor;
}

void executor_probe::ask(time_point now) {
  const std::lock_guard lock(mutex_);
  if (!executor_ || (answered_ && !answered_->load(std::memory_order_acquire))) return;
  auto answer = std::make_shared<std::atomic<bool>>(false);
  asio::post(executor_, [answer] { answer->store(true, std::memory_order_release); });
  answered_ = std::move(answer);
  asked_ = now;
}

duration executor_probe::silent(time_point now) const {
  const std::lock_guard lock(mutex_);
  if (!executor_ || !answered_ || answered_->load(std::memory_order_acquire)) return {};
  return std::max(now - asked_, duration::zero());
}

// A thread that posts holds the mutex, so it posts while the context still takes that.
void executor_probe::context_ended() noexcept {
  asio::any_io_executor gone;
  const std::lock_guard lock(mutex_);
  std::swap(gone, executor_);
}

void executor_probes::see(const asio::any_io_executor& executor, const std::string& name) {
  if (!executor) return;
  const asio::any_io_executor plain = untracked(executor);
  const auto found =
      std::ranges::find_if(all_, [&](const kept_probe& each) { return each.probe->is_of(plain); });
  if (found != all_.end()) {
    found->seen = true;
    found->name = name;
    return;
  }
  all_.push_back({std::make_unique<executor_probe>(executor), name});
}

std::vector<silent_executor> executor_probes::ask(time_point now, duration at_least) {
  std::erase_if(all_, [](const kept_probe& each) { return !each.seen; });
  std::vector<silent_executor> silent;
  for (kept_probe& each : all_) {
    each.seen = false;
    const duration since = each.probe->silent(now);
    if (since > duration::zero() && since >= at_least) silent.push_back({each.name, since});
    each.probe->ask(now);
  }
  std::ranges::sort(silent, {}, [](const silent_executor& each) {
    return std::tuple(-each.silent, std::string_view(each.executor));
  });
  std::vector<silent_executor> all;  // strands of one context have one name
  for (silent_executor& each : silent) {
    const auto same = [&](const silent_executor& other) { return other.executor == each.executor; };
    if (std::ranges::none_of(all, same)) all.push_back(std::move(each));
  }
  return all;
}

}  // namespace msgbus::monitoring
