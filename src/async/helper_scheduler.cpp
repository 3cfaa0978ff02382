#include <msgbus/detail/async/helper_scheduler.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::async::detail {

void helper_scheduler::add(const asio::any_io_executor& on, std::shared_ptr<work_source> source,
                           const std::shared_ptr<const void>& keep) {
  {
    const std::lock_guard lock(mutex_);
    sources_.push_back(std::move(source));
    if (std::exchange(posted_, true)) return;
  }
  post(on, keep);
}

void helper_scheduler::remove(const work_source& source) noexcept {
  std::shared_ptr<work_source> removed;  // destroyed after the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(sources_.rbegin(), sources_.rend(),
                                  [&](const auto& each) { return each.get() == &source; });
  if (found == sources_.rend()) return;
  removed = std::move(*found);
  sources_.erase(std::next(found).base());
}

void helper_scheduler::post(const asio::any_io_executor& on, std::shared_ptr<const void> keep) {
  asio::post(on, [this, on, keep = std::move(keep)]() mutable {
    if (run()) post(on, std::move(keep));
  });
}

bool helper_scheduler::run() {
  std::vector<std::shared_ptr<work_source>> now;
  {
    const std::lock_guard lock(mutex_);
    now = sources_;
  }
  for (const auto& each : now) each->help();
  // A source that has no work left has unregistered itself, or is about to.
  const std::lock_guard lock(mutex_);
  posted_ = !sources_.empty();
  return posted_;
}

}  // namespace msgbus::async::detail
