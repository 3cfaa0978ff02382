#include <msgbus/detail/async/message_hooks.hpp>

#include <msgbus/detail/routing/retire_list.hpp>
#include <msgbus/error.hpp>

#include "core/text.hpp"

namespace msgbus::async::detail {

message_hooks::~message_hooks() { const std::unique_ptr<hooks> gone(current_.load()); }

void message_hooks::add(const routing::domain& guarded, hook added) {
  auto one = std::make_shared<const hook>(std::move(added));
  routing::retire_list old;
  {
    const std::lock_guard lock(changing_);
    if (cleared_) return;
    hooks* const before = current_.load(std::memory_order_relaxed);
    auto made = before ? std::make_unique<hooks>(*before) : std::make_unique<hooks>();
    made->push_back(std::move(one));
    current_.store(made.release(), std::memory_order_release);
    old.add(std::unique_ptr<hooks>(before));
  }
  routing::retire(guarded, std::move(old));
}

void message_hooks::clear(const routing::domain& guarded) noexcept {
  routing::retire_list old;
  {
    const std::lock_guard lock(changing_);
    cleared_ = true;
    old.add(std::unique_ptr<hooks>(current_.exchange(nullptr, std::memory_order_acq_rel)));
  }
  routing::retire(guarded, std::move(old));
}

void message_hooks::notify(value_ref message, const failure* details) const noexcept {
  const hooks* const all = current_.load(std::memory_order_acquire);
  if (!all) return;
  for (const auto& each : *all) {
    try {
      (*each)(message, details);
    } catch (...) {
      msgbus::detail::say_thrown_by("a hook for failed or abandoned messages");
    }
  }
}

void message_hooks::failed(value_ref message, const failures& failed,
                           const msgbus::context& ctx) const noexcept {
  try {
    failure details{failed[0], ctx.topic(), ctx.message_id()};
    if (failed.size() > 1) {
      std::vector<std::exception_ptr> all;
      all.reserve(failed.size());
      for (std::size_t i = 0; i < failed.size(); ++i) all.push_back(failed[i]);
      details.error = std::make_exception_ptr(dispatch_error(std::move(all)));
    }
    notify(message, &details);
  } catch (...) {
    msgbus::detail::say_thrown_by("a hook for failed messages");
  }
}

void message_hooks::abandoned(value_ref message) const noexcept { notify(message, nullptr); }

}  // namespace msgbus::async::detail
