#include <msgbus/exec/waiter.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/post.hpp>

namespace msgbus::exec {

asio::awaitable<void> waiter::wait() {
  // A plain function, so that nothing is made inside a line that awaits (GCC 12).
  auto initiate = [this](auto&& waiting) { start(std::move(waiting)); };
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
}

void waiter::start(handler&& waiting) {
  auto slot = asio::get_associated_cancellation_slot(waiting);
  if (slot.is_connected()) slot.assign([this](asio::cancellation_type) { wake(); });
  if (!link(waiting.get_executor())) {
    handler dropped(std::move(waiting));
    return;
  }
  handler_.emplace(std::move(waiting));
  state expected = state::fresh;
  // Release: who wakes finds the handler.
  if (state_.compare_exchange_strong(expected, state::waiting, std::memory_order_acq_rel)) return;
  unlink();
  handler woken(std::move(*handler_));
  asio::post(std::move(woken));  // never from inside an initiation: that would nest
}

void waiter::wake() noexcept {
  // Release: what was done before waking.
  state seen = state::fresh;
  if (state_.compare_exchange_strong(seen, state::woken, std::memory_order_acq_rel)) return;
  if (seen == state::woken) return;
  // Another thread may be destroying the coroutine's context: that waits for this, or comes first
  // and sees to the handler itself.
  unlink_after([this] {
    // Acquire: the handler.
    if (state_.exchange(state::woken, std::memory_order_acq_rel) != state::waiting) return;
    handler woken(std::move(*handler_));
    asio::post(std::move(woken));
  });
}

void waiter::context_ended() noexcept {
  if (state_.exchange(state::woken, std::memory_order_acq_rel) != state::waiting) return;
  const handler dropped(std::move(*handler_));  // posts the end of the coroutine's frames
}

}  // namespace msgbus::exec
