#include "exec/join_state.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "exec/post_recycled.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/this_coro.hpp>

#include <new>
#include <utility>

namespace msgbus::exec {

void task::context_ended() noexcept {
  // From now on, nothing may be posted to that context. The task itself ends soon after.
  const std::lock_guard lock(in_->mutex_);
  gone_ = true;
}

/// The executors of an ended task, destroyed outside the lock.
struct join_state::remains {
  asio::any_io_executor strand_of;
  asio::any_io_executor keeps_running;
};

/// Part of the function or coroutine that runs a task, which it keeps alive. If that function or
/// coroutine is destroyed, the task has ended.
class join_state::ending {
 public:
  ending(std::shared_ptr<join_state> in, task& which) noexcept
      : in_(std::move(in)), which_(which) {}
  ending(ending&&) noexcept = default;
  ending& operator=(ending&&) = delete;
  ~ending() {
    if (in_) in_->lose(which_);
  }

  /// The completion of the task's coroutine, which has ended the task itself.
  void operator()(const std::exception_ptr&) noexcept {}

  [[nodiscard]] const std::shared_ptr<join_state>& in() const noexcept { return in_; }
  [[nodiscard]] task& which() const noexcept { return which_; }

 private:
  std::shared_ptr<join_state> in_;
  task& which_;
};

/// The function that is posted to the executor of a task.
struct join_state::starter {
  void operator()() {
    join_state& in = *ended.in();
    task& which = ended.which();
    if (!in.mark_running(which)) return;
    asio::awaitable<void> rest;
    try {
      rest = which.begin();
    } catch (...) {
      return in.end(which, std::current_exception());
    }
    if (!rest.valid()) return in.end(which, nullptr);
    auto running = run(ended.in(), which, std::move(rest));
    if (can_be_cancelled) {
      asio::co_spawn(on, std::move(running),
                     asio::bind_cancellation_slot(which.signal_.slot(), std::move(ended)));
    } else {
      asio::co_spawn(on, std::move(running), std::move(ended));
    }
  }

  ending ended;
  asio::any_io_executor on;
  bool can_be_cancelled;
};

/// The function that emits the signal of a running task, on its executor.
struct join_state::emission {
  void operator()() {
    auto type = asio::cancellation_type::none;
    {
      const std::lock_guard lock(in->mutex_);
      which->emits_ = false;
      if (which->where_ == task::phase::ended) return;
      type = which->to_emit_;
    }
    try {
      which->signal_.emit(type);
    } catch (const std::bad_alloc&) {  // Asio's way to the coroutine: it is tried again
      const std::lock_guard lock(in->mutex_);
      in->notify_locked(*which, type);
    }
  }

  std::shared_ptr<join_state> in;
  task* which;
};

asio::awaitable<void> join_state::run(std::shared_ptr<join_state> self, task& which,
                                      asio::awaitable<void> rest) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  std::exception_ptr failure;
  try {
    co_await std::move(rest);
  } catch (...) {
    failure = std::current_exception();
  }
  self->end(which, std::move(failure));
}

void join_state::add(task& added, const asio::any_io_executor& on) {
  const bool has_strand = is_mailbox_strand(on);
  added.in_ = this;
  if (has_strand) {
    added.strand_ = on;
    added.keeps_running_ = work_on(on);
    added.gone_ = !added.link(on);
  }
  if (!on) added.gone_ = true;
  const std::lock_guard lock(mutex_);
  added.next_ = std::exchange(last_, &added);
  ++running_;
}

void join_state::add_on_own_strand(task& added, const asio::any_io_executor& on) {
  if (const strand_state* const own = strand_state_of(on)) own->signal = &added.signal_;
  add(added, on);
}

void join_state::launch(task& added, const asio::any_io_executor& on) {
  ending ended(shared_from_this(), added);
  bool has_strand = false;
  {
    const std::lock_guard lock(mutex_);
    if (added.where_ != task::phase::added) return;  // given up meanwhile
    added.where_ = task::phase::posted;
    has_strand = static_cast<bool>(added.strand_);
  }
  if (!on) return;  // its context has ended, and so has the task
  starter begin{std::move(ended), on, has_strand};
  asio::dispatch(on, std::move(begin));
}

bool join_state::mark_running(task& which) noexcept {
  const std::lock_guard lock(mutex_);
  if (which.where_ != task::phase::posted) return false;
  which.where_ = task::phase::running;
  return true;
}

void join_state::end_locked(task& which, std::exception_ptr failure, remains& rest) noexcept {
  which.where_ = task::phase::ended;
  which.failure_ = std::move(failure);
  std::swap(rest.strand_of, which.strand_);
  std::swap(rest.keeps_running, which.keeps_running_);
  --running_;
}

void join_state::wake_if_done_locked() noexcept {
  if (running_ == 0 && joining_) joining_->set();
}

void join_state::end(task& which, std::exception_ptr failure) noexcept {
  remains rest;
  const std::lock_guard lock(mutex_);
  if (which.where_ == task::phase::ended) return;  // given up, or ended by its coroutine
  end_locked(which, std::move(failure), rest);
  wake_if_done_locked();
}

void join_state::lose(task& which) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (which.where_ == task::phase::ended) return;  // the usual case
  }
  if (mark_running(which)) which.lose();
  end(which, aborted("a task whose executor was destroyed"));
}

void join_state::notify_locked(task& which, asio::cancellation_type type) noexcept {
  if (which.where_ != task::phase::running || which.gone_ || !which.strand_) return;
  note_cancel_requested(which.strand_);
  which.to_emit_ |= type;
  if (std::exchange(which.emits_, true)) return;  // the posted function finds it
  // A signal is used on its task's executor only. The context does not end while the lock is held.
  post_in(which.memory_, which.strand_, emission{shared_from_this(), &which});
}

void join_state::cancel(asio::cancellation_type type) noexcept {
  const auto self = shared_from_this();  // the owner may resume once no task runs
  for (;;) {
    task* next = nullptr;
    {
      remains rest;
      const std::lock_guard lock(mutex_);
      for (next = last_; next && !next->waits_to_begin();) next = next->next_;
      if (next) {
        next->given_up_ = true;
        end_locked(*next, aborted("a task that had not started"), rest);
      } else {
        for (task* each = last_; each; each = each->next_) notify_locked(*each, type);
        wake_if_done_locked();
        return;
      }
    }
    next->drop();
  }
}

bool join_state::have_ended() const noexcept {
  const std::lock_guard lock(mutex_);
  return running_ == 0;
}

one_shot_event* join_state::until_done() {
  const std::lock_guard lock(mutex_);
  if (running_ == 0) return nullptr;
  return &joining_.emplace();
}

asio::awaitable<void> join_state::join(when_cancelled on_cancel) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto requested = asio::cancellation_type::none;
  while (one_shot_event* const done = until_done()) {
    const auto before = co_await asio::this_coro::cancellation_state;
    if (on_cancel == when_cancelled::cancel_tasks && before.cancelled() != requested) {
      requested = before.cancelled();
      cancel(requested);
    }
    try {
      co_await done->wait();
    } catch (const std::bad_alloc&) {
      continue;  // the tasks are waited for in any case
    }
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

std::exception_ptr join_state::failure(const task& of) const {
  const std::lock_guard lock(mutex_);
  return of.failure_;
}

bool join_state::was_given_up(const task& which) const {
  const std::lock_guard lock(mutex_);
  return which.given_up_;
}

bool join_state::has_lost_context(const task& which) const {
  const std::lock_guard lock(mutex_);
  return which.gone_;
}

}  // namespace msgbus::exec
