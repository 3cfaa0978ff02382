#include "exec/consumer_loop.hpp"

#include "exec/post_recycled.hpp"
#include "observe/active_span.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <cassert>
#include <exception>
#include <new>
#include <utility>

namespace msgbus::exec {

namespace {

constexpr unsigned batch = 64;  // messages that a loop handles before other work runs (A11)

}  // namespace

consumer_loop::consumer_loop(mailbox& in, std::shared_ptr<const void> keep) noexcept
    : mailbox_(&in), keep_(std::move(keep)) {}

consumer_loop::consumer_loop(consumer_loop&& other) noexcept
    : mailbox_(std::exchange(other.mailbox_, nullptr)),
      keep_(std::move(other.keep_)),
      message_(std::move(other.message_)),
      has_permit_(other.has_permit_),
      handled_(other.handled_),
      idle_(other.idle_) {}

consumer_loop::~consumer_loop() {
  if (!mailbox_) return;
  if (message_) done();
  if (!has_permit_) mailbox_->state_.reclaim_permits();
  // Another loop with a permit has a message in hand, and does this later.
  const bool takes = has_permit_ || !mailbox_->state_.has_loops();
  if (takes && !mailbox_->can_run()) mailbox_->abandon_rest();
  if (has_permit_) mailbox_->state_.lose_loop();
}

// The number of times in a row that a loop without messages is posted again before it ends.
// Starting a loop costs more, but that matters only after many messages.
unsigned consumer_loop::idle_spins() const noexcept { return std::min(handled_ / 16, 8U); }

bool consumer_loop::run(asio::awaitable<void>& rest) {
  mailbox& in = *mailbox_;
  mailbox_state& state = in.state_;
  if (!has_permit_ || (state.is_permit_wanted() && state.hand_over())) [[unlikely]] {
    mailbox_ = nullptr;
    return false;
  }
  unsigned taken = 0;
  for (; taken < batch && state.take(message_); ++taken) {
    if (taken == 0) {
      state.show_space();                 // its handler may run long
      msgbus::detail::handled_until = 0;  // the next measurement looks at the clock
    }
    if (state.discards()) [[unlikely]] {
      in.owner_.abandoned(*message_.get());
    } else if (const std::exception_ptr* const why = message_.key_failure()) [[unlikely]] {
      in.owner_.failed(*message_.get(), *why);
    } else if (!is_handled(*message_.get(), rest)) {
      in.notify_space_while_awaiting(keep_);
      ++handled_;
      return true;
    }
    done();
    in.notify_space(false);
  }
  in.notify_space(true);
  handled_ += taken;
  if (taken == batch) return true;
  idle_ = taken == 0 ? idle_ + 1 : 1;
  if (idle_ <= idle_spins() || !state.end_loop()) return true;
  mailbox_ = nullptr;
  return false;
}

// A run without memory for its coroutine has been counted: it was interrupted. The loop goes on.
bool consumer_loop::is_handled(queued_message& message, asio::awaitable<void>& rest) {
  try {
    return mailbox_->owner_.handle(message, rest);
  } catch (const std::bad_alloc&) {
    return true;
  }
}

bool consumer_loop::handle_in_sender(mailbox& in, queued_message& message) {
  mailbox_state& state = in.state_;
  if (!state.claim_loop()) return false;
  consumer_loop mine(in, nullptr);
  const bool is_next = !state.has_messages();
  if (is_next) {
    in.count_handled_by_sender();
    asio::awaitable<void> rest;
    [[maybe_unused]] const bool is_done = mine.is_handled(message, rest);
    assert(is_done && "msgbus: a handler that suspends cannot be run by a sender");
  }
  if (state.end_loop()) {
    mine.mailbox_ = nullptr;
  } else {
    mine.keep_ = in.owner_.keep();
    inline_loop::post(std::move(mine));
  }
  return is_next;
}

void inline_loop::post(consumer_loop&& mine) {
  mailbox& in = mine.of();
  post_recycled(in.executor_, inline_loop(std::move(mine)));
}

wake_allocator<void> inline_loop::get_allocator() const noexcept {
  return wake_allocator<void>(mine_.of().wake_memory_);
}

void inline_loop::operator()() {
  asio::awaitable<void> rest;
  mailbox& in = mine_.of();
  if (!mine_.run(rest)) return;
  std::shared_ptr<coroutine_loop> run;
  try {
    if (rest.valid()) run = std::make_shared<coroutine_loop>(std::move(mine_));
  } catch (const std::bad_alloc&) {
    {
      const asio::awaitable<void> dropped(std::move(rest));  // its message is abandoned
    }
    mine_.done();
    return post(std::move(mine_));
  }
  if (!run) return post(std::move(mine_));
  const auto slot = run->signal.slot();
  const mailbox_strand on = run->executor;
  // Owns the signal, which must outlive every user of its slot, and the mailbox, which must outlive
  // `run`.
  auto ended = [keep = in.owner_.keep(), run](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);  // a loop throws nothing but bad_alloc
  };
  asio::co_spawn(on, coroutine_loop::resume(std::move(run), std::move(rest)),
                 asio::bind_cancellation_slot(slot, std::move(ended)));
}

coroutine_loop::coroutine_loop(consumer_loop&& going_on)
    : in(going_on.of()),
      work(work_on(in.executor_)),
      executor(make_mailbox_strand(in.executor_,
                                   std::make_shared<const wait_chain>(wait_chain{&in, nullptr}))),
      mine(std::move(going_on)) {
  executor.state().loop = this;
  executor.state().signal = &signal;
}

coroutine_loop::~coroutine_loop() {
  const std::lock_guard lock(in.state_.mutex());
  if (!listed) return;
  (previous ? previous->next : in.running_) = next;
  if (next) next->previous = previous;
}

bool coroutine_loop::list() {
  const std::lock_guard lock(in.state_.mutex());
  next = in.running_;
  if (next) next->previous = this;
  in.running_ = this;
  listed = true;
  return !in.discards();
}

void coroutine_loop::cancel_all(mailbox& in) {
  const std::lock_guard lock(in.state_.mutex());
  // A context that ends on another thread waits for the lock.
  if (!in.can_run()) return;
  for (coroutine_loop* each = in.running_; each; each = each->next) {
    note_cancel_requested(each->executor);
    if (each->emits.exchange(true)) continue;
    // The reference goes into the posted function: the last one must not end here, as the
    // destructor takes the lock.
    if (auto self = each->weak_from_this().lock()) post_emission(std::move(self));
  }
}

void coroutine_loop::post_emission(std::shared_ptr<coroutine_loop> self) {
  // A signal is used on its loop's executor only. The mailbox outlives the loop. A copy of the
  // executor, as the function may end the loop before the post returns.
  const mailbox_strand on = self->executor;
  wake_memory& memory = self->memory;
  std::shared_ptr<const void> keep = self->in.owner_.keep();
  on.post_in(memory, [keep = std::move(keep), loop = std::move(self)]() mutable {
    loop->emits = false;
    try {
      loop->signal.emit(asio::cancellation_type::terminal);
    } catch (const std::bad_alloc&) {  // Asio's way to the coroutine: it is tried again
      if (!loop->emits.exchange(true)) post_emission(std::move(loop));
    }
  });
}

asio::awaitable<void> coroutine_loop::resume(std::shared_ptr<coroutine_loop> self,
                                             asio::awaitable<void> rest) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  // Listed here and not earlier: an earlier cancellation would end the coroutine before its first
  // line, on another thread.
  if (!self->list()) {
    note_cancel_requested(self->executor);
    self->signal.emit(asio::cancellation_type::terminal);
  }
  unsigned awaited = 0;
  do {
    const bool handles = rest.valid();
    if (handles) {
      const shared_origin* const origin = self->mine.in_hand().origin();
      self->executor.state().cause = origin ? *origin : self->in.cause_of_no_origin();
      try {
        co_await std::move(rest);
      } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): as in `is_handled`
      }
      self->mine.done();
      self->in.notify_space(false);
    }
    // Other work runs in between, even if no handler ever suspends (A11).
    if (!handles || ++awaited == batch) {
      awaited = 0;
      if (handles) self->in.notify_space(true);
      co_await yield_to_others();
    }
  } while (self->mine.run(rest));
  self->executor.state().limit.loop_ends();
}

time_beside::time_beside(coroutine_loop* of) : loop_(of) {
  if (!loop_) return;
  mailbox& in = loop_->in;
  in.state_.begin_pause();
  loop_->mine.done();
  loop_->mine.lose_permit();
  in.state_.release_permit();
  try {
    if (in.state_.has_messages() && in.state_.wants_loop()) in.start_loop();
  } catch (...) {
    in.state_.end_pause();
    throw;
  }
}

time_beside::~time_beside() {
  if (!loop_) return;
  mailbox& in = loop_->in;
  in.state_.end_pause();
  in.notify_space(true);
}

asio::awaitable<void> time_beside::come_back() {
  if (!loop_) co_return;
  mailbox& in = loop_->in;
  std::exception_ptr failure;
  try {
    co_await in.state_.permit_waiters().wait(&mailbox_state::take_permit, &in.state_, "a retry");
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) {
    loop_->mine.regain_permit();
    co_return;
  }
  in.state_.reclaim_permits();
  if (in.state_.has_messages() && in.state_.wants_loop()) in.start_loop();
  std::rethrow_exception(failure);
}

}  // namespace msgbus::exec
