#include <msgbus/detail/exec/one_shot_event.hpp>

#include "exec/post_recycled.hpp"

#include <asio/associated_cancellation_slot.hpp>

#include <utility>

namespace msgbus::exec {

/// Asio keeps it in the frame of the wait.
class one_shot_event::initiation {
 public:
  explicit initiation(one_shot_event& event) noexcept : event_(event) {}
  initiation(const initiation& other) noexcept : event_(other.event_) {}
  initiation& operator=(const initiation&) = delete;

  void operator()(handler&& waiting) { event_.start(std::move(waiting), place_); }

 private:
  one_shot_event& event_;
  place place_;
};

/// The posted function. The memory of the post is free when it runs.
struct one_shot_event::resumption {
  void operator()() {
    handler now(std::move(waiting));
    now(std::move(failure));
  }
  handler waiting;
  std::exception_ptr failure;
};

asio::awaitable<void> one_shot_event::wait() {
  // A named object in a plain function: no temporary in a line with `co_await` (GCC 12).
  initiation initiate(*this);
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      initiate, asio::use_awaitable);
}

void one_shot_event::post(place& at, std::exception_ptr failure) {
  handler waiting = at.take();
  const asio::any_io_executor on = waiting.get_executor();
  post_in(at.memory, on, resumption{std::move(waiting), std::move(failure)});
}

void one_shot_event::start(handler&& waiting, place& at) {
  at.waiting.emplace(std::move(waiting));
  try {
    auto slot = asio::get_associated_cancellation_slot(*at.waiting);
    if (slot.is_connected()) slot.assign([this](asio::cancellation_type) { set(); });
    if (!link(at.waiting->get_executor())) {
      const handler dropped = at.take();
      return;
    }
  } catch (...) {
    return post(at, std::current_exception());
  }
  place_ = &at;
  state expected = state::fresh;
  // Release: the thread that claims the handler sees it.
  if (state_.compare_exchange_strong(expected, state::waiting, std::memory_order_acq_rel)) return;
  unlink();
  post(at);  // not completed inside the initiation, which would recurse
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
  post(*place_);
}

void one_shot_event::set() noexcept {
  if (claim() == claimed::handler) post_claimed();
}

void one_shot_event::context_ended() noexcept {
  state_.store(state::set, std::memory_order_release);
  const handler dropped = place_->take();  // posts the destruction of the coroutine's frames
}

// --- Several. ------------------------------------------------------------------------------------

/// The first of them goes on, after the others have been posted, by a thread of the executor: so
/// those that have several threads go on at the same time, and what one of them throws concerns no
/// other. Posted from the outside, each of them would contend for the lock of that thread; one that
/// posts the next one would have the context look for input before each.
class event_batch::in_turn {
 public:
  explicit in_turn(one_shot_event::place* first) noexcept : first_(first) {}
  in_turn(in_turn&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  in_turn& operator=(in_turn&&) = delete;
  ~in_turn() {
    while (first_) const one_shot_event::handler dropped = next().take();
  }

  void operator()() {
    one_shot_event::resumption first{next().take(), nullptr};
    while (first_) one_shot_event::post(next());
    first();
  }

 private:
  [[nodiscard]] one_shot_event::place& next() noexcept {
    return *std::exchange(first_, first_->next);
  }

  one_shot_event::place* first_;
};

void event_batch::set(one_shot_event& event) noexcept {
  if (event.claim() != one_shot_event::claimed::handler) return;
  context_keeper until_posted = event.adopt_hold();
  one_shot_event::place& added = *event.place_;
  if (first_ && first_->waiting->get_executor() != added.waiting->get_executor()) post();
  if (!first_) until_posted_.emplace(std::move(until_posted));
  (first_ ? last_->next : first_) = &added;
  last_ = &added;
}

void event_batch::post() noexcept {
  if (!first_) return;
  {
    const asio::any_io_executor on = first_->waiting->get_executor();
    wake_memory& memory = first_->memory;
    post_in(memory, on, in_turn(std::exchange(first_, nullptr)));
  }  // released while its context cannot end
  until_posted_.reset();
}

// --- Others first. -------------------------------------------------------------------------------

namespace {

/// As that of an event.
class yielding {
 public:
  using handler = asio::async_result<std::decay_t<asio::use_awaitable_t<>>, void()>::handler_type;

  yielding() = default;
  yielding(const yielding&) noexcept {}
  yielding& operator=(const yielding&) = delete;

  void operator()(handler&& waiting) {
    const asio::any_io_executor on = waiting.get_executor();
    auto resume = [handed = std::move(waiting)]() mutable {
      handler now(std::move(handed));
      now();
    };
    post_in(memory_, on, std::move(resume));
  }

 private:
  wake_memory memory_;
};

}  // namespace

asio::awaitable<void> yield_to_others() {
  yielding initiate;
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
}

}  // namespace msgbus::exec
