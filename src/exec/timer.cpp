#include <msgbus/detail/exec/timer.hpp>

#include <msgbus/detail/exec/cancellation.hpp>

#include "exec/timer_state.hpp"

#include <asio/this_coro.hpp>

#include <cassert>
#include <utility>

namespace msgbus::exec {

timer::timer(asio::any_io_executor executor)
    : state_(std::make_shared<timer_state>(std::move(executor))) {}

timer::~timer() { state_->end(); }

void timer::start(clock::duration after, std::function<void()> on_expiry) {
  assert(on_expiry && "msgbus: a timer needs a callback");
  state_->start(after, std::move(on_expiry));
}

void timer::cancel() noexcept { state_->cancel(); }

asio::awaitable<void> wait_for(std::shared_ptr<one_shot_event> event, clock::duration at_most,
                               const char* name) {
  timer limit(co_await asio::this_coro::executor);
  limit.start(at_most, [event] { event->set(); });
  co_await event->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  throw_if_aborted(state, name);
}

asio::awaitable<void> sleep(clock::duration after) {
  return wait_for(std::make_shared<one_shot_event>(), after, "sleep");
}

}  // namespace msgbus::exec
