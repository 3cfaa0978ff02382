#include <msgbus/detail/exec/stream_queue.hpp>

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus::exec {

stream_queue_base::stream_queue_base(const mailbox_options& options) noexcept
    : capacity_(std::max<std::size_t>(options.capacity, 1)),
      on_full_(options.on_full),
      putting_(mutex_),
      taking_(mutex_) {}

std::size_t stream_queue_base::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

std::uint64_t stream_queue_base::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void stream_queue_base::end() noexcept {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  ended_ = true;
  taking_.wake(wait_list::all, woken);
  putting_.wake(wait_list::all, woken);
}

bool stream_queue_base::try_put_locked(const void* value, wake_batch& woken) {
  const bool full = size_ >= capacity_;
  if (!ended_ && full && on_full_ == overflow::suspend) return false;
  if (ended_ || (full && on_full_ != overflow::drop_oldest)) {
    ++lost_;
    return true;
  }
  if (full) {
    drop_first();
    --size_;
    ++lost_;
  }
  push(value);
  ++size_;
  taking_.wake(1, woken);
  return true;
}

bool stream_queue_base::try_take_locked(void* into, wake_batch& woken) {
  if (size_ == 0) return ended_;
  pop_into(into);
  --size_;
  putting_.wake(1, woken);
  return true;
}

bool stream_queue_base::try_put_value(const void* value) {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  return try_put_locked(value, woken);
}

bool stream_queue_base::try_take_value(void* into) {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  return try_take_locked(into, woken);
}

asio::awaitable<void> stream_queue_base::put_value(std::shared_ptr<stream_queue_base> self,
                                                   const void* value) {
  const auto take_space = [](void* of, bool) {
    auto& mine = *static_cast<attempt<const void*>*>(of);
    return mine.queue.try_put_locked(mine.event, mine.woken);
  };
  wait_list::node mine(self->putting_);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    throw_if_aborted(state, "stream");
    {
      attempt<const void*> next{*self, value, {}};
      if (mine.try_or_join(take_space, &next)) co_return;
    }
    co_await mine.wait();
  }
}

asio::awaitable<void> stream_queue_base::take_value(std::shared_ptr<stream_queue_base> self,
                                                    void* into) {
  const auto before = co_await asio::this_coro::cancellation_state;
  if (!before.slot().is_connected()) {
    if (self->try_take_value(into)) co_return;
  } else {
    // An earlier posted cancellation runs first: after it, no event may be taken (A9).
    co_await yield_to_others();
  }
  const auto take_event = [](void* of, bool) {
    auto& mine = *static_cast<attempt<void*>*>(of);
    return mine.queue.try_take_locked(mine.event, mine.woken);
  };
  wait_list::node mine(self->taking_);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    throw_if_aborted(state, "stream");
    {
      attempt<void*> next{*self, into, {}};
      if (mine.try_or_join(take_event, &next)) co_return;
    }
    co_await mine.wait();
  }
}

}  // namespace msgbus::exec
