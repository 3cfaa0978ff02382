#include "events.hpp"

#include "core/say.hpp"
#include "core/text.hpp"

#include <asio/post.hpp>

#include <utility>

namespace msgbus::nats {

events::events(asio::any_io_executor executor, std::function<void(const event&)> to)
    : to_(std::move(to)), executor_(std::move(executor)) {
  if (!link(executor_)) executor_ = {};
}

void events::tell(event::kind what, std::string_view text) {
  if (!to_) return;
  // The context does not end before the lock does.
  const std::lock_guard lock(mutex_);
  if (!executor_) return;
  asio::post(executor_, [to = to_, told = event{what, detail::escaped(text)}] {
    try {
      to(told);
    } catch (...) {
      detail::say_thrown_by("an on_event");
    }
  });
}

void events::context_ended() noexcept {
  const std::lock_guard lock(mutex_);
  executor_ = {};
}

}  // namespace msgbus::nats
