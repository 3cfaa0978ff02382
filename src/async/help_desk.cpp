#include <msgbus/async/detail/help_desk.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::async::detail {

void help_desk::ask(const asio::any_io_executor& on, std::shared_ptr<helped> who,
                    std::shared_ptr<const void> keep) {
  {
    const std::lock_guard lock(mutex_);
    asking_.push_back(std::move(who));
    if (std::exchange(called_, true)) return;
  }
  call(on, std::move(keep));
}

void help_desk::leave(const helped& who) noexcept {
  std::shared_ptr<helped> gone;  // let go after the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(asking_.rbegin(), asking_.rend(),
                                  [&](const auto& each) { return each.get() == &who; });
  if (found == asking_.rend()) return;
  gone = std::move(*found);
  asking_.erase(std::next(found).base());
}

void help_desk::call(const asio::any_io_executor& on, std::shared_ptr<const void> keep) {
  asio::post(on, [this, on, keep = std::move(keep)]() mutable {
    if (run()) call(on, std::move(keep));
  });
}

bool help_desk::run() {
  std::vector<std::shared_ptr<helped>> now;
  {
    const std::lock_guard lock(mutex_);
    now = asking_;
  }
  for (const auto& each : now) each->help();
  // Who has nothing left to take has left, or is about to.
  const std::lock_guard lock(mutex_);
  called_ = !asking_.empty();
  return called_;
}

}  // namespace msgbus::async::detail
