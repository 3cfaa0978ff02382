#include <msgbus/detail/exec/one_shot_event.hpp>

#include "exec/post_recycled.hpp"

#include <asio/associated_cancellation_slot.hpp>
#include <asio/post.hpp>

#include <cstddef>
#include <utility>

namespace msgbus::exec {

asio::awaitable<void> one_shot_event::wait() {
  // A named lambda in a plain function: no temporary in a line with `co_await` (GCC 12).
  auto initiate = [this](auto&& waiting) { start(std::move(waiting)); };
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
}

void one_shot_event::start(handler&& waiting) {
  auto slot = asio::get_associated_cancellation_slot(waiting);
  if (slot.is_connected()) slot.assign([this](asio::cancellation_type) { set(); });
  if (!link(waiting.get_executor())) {
    handler dropped(std::move(waiting));
    return;
  }
  handler_.emplace(std::move(waiting));
  state expected = state::fresh;
  // Release: the thread that claims the handler sees it.
  if (state_.compare_exchange_strong(expected, state::waiting, std::memory_order_acq_rel)) return;
  unlink();
  handler ended(std::move(*handler_));
  handler_.reset();
  asio::post(std::move(ended));  // not completed inside the initiation, which would recurse
}

one_shot_event::claimed one_shot_event::claim() noexcept {
  // Release: the caller's previous writes. Acquire: the handler.
  state seen = state::fresh;
  if (state_.compare_exchange_strong(seen, state::set, std::memory_order_acq_rel)) {
    return claimed::unstarted;
  }
  // Another thread may destroy the coroutine's context. Either it waits for `post_claimed`, or it
  // was first, and has dropped the handler itself.
  if (seen == state::set || !unlink_and_hold()) return claimed::nothing;
  state_.store(state::set, std::memory_order_release);
  return claimed::handler;
}

void one_shot_event::post_claimed() noexcept {
  const context_keeper until_posted = adopt_hold();
  handler ended(std::move(*handler_));
  handler_.reset();
  asio::post(std::move(ended));
}

void one_shot_event::set() noexcept {
  if (claim() == claimed::handler) post_claimed();
}

void one_shot_event::context_ended() noexcept {
  state_.store(state::set, std::memory_order_release);
  const handler dropped(std::move(*handler_));  // posts the destruction of the coroutine's frames
}

// --- Several. ------------------------------------------------------------------------------------

/// The first of them goes on, after the others have been posted, by a thread of the executor: so
/// those that have several threads go on at the same time, and what one of them throws concerns no
/// other. Posted from the outside, each of them would contend for the lock of that thread; one that
/// posts the next one would have the context look for input before each.
struct event_batch::in_turn {
  void operator()() {
    for (std::size_t i = 1; i < waiting.size(); ++i) asio::post(std::move(waiting[i]));
    one_shot_event::handler first(std::move(waiting.front()));
    first();
  }
  std::vector<one_shot_event::handler> waiting;
};

void event_batch::set(one_shot_event& event) noexcept {
  if (event.claim() != one_shot_event::claimed::handler) return;
  context_keeper until_posted = event.adopt_hold();
  one_shot_event::handler ended(std::move(*event.handler_));
  event.handler_.reset();
  if (!waiting_.empty() && waiting_.front().get_executor() != ended.get_executor()) post();
  if (waiting_.empty()) until_posted_.emplace(std::move(until_posted));
  waiting_.push_back(std::move(ended));
}

void event_batch::post() noexcept {
  if (waiting_.empty()) return;
  {
    const asio::any_io_executor on = waiting_.front().get_executor();
    post_recycled(on, in_turn{std::exchange(waiting_, {})});
  }  // released while its context cannot end
  until_posted_.reset();
}

}  // namespace msgbus::exec
