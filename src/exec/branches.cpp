#include <msgbus/exec/branches.hpp>

#include <msgbus/exec/context_link.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>

namespace msgbus::exec {

namespace {

std::exception_ptr aborted(const char* why) noexcept {
  return std::make_exception_ptr(asio::system_error(asio::error::operation_aborted, why));
}

}  // namespace

/// Shared by the owner and the branches.
///
/// States of a branch, each change under the lock: added -> posted (its work is stored) -> running
/// (its first line takes the work, on its executor) -> ended; added or posted -> ended, which is to
/// be given up, or to lose the executor. The signal is emitted between running and ended only, and
/// on the executor only.
struct branches::state : std::enable_shared_from_this<branches::state> {
  enum class phase { added, posted, running, ended };

  struct branch final : context_link {
    branch(state& all, const asio::any_io_executor& executor)
        : in(all), on(executor), keeps_running(work_on(executor)) {
      gone = !link(executor);
    }

    /// Nothing may be posted there any more. The end of the branch itself follows.
    void context_ended() noexcept override {
      const std::lock_guard lock(in.mutex);
      gone = true;
    }

    [[nodiscard]] bool waits_to_begin() const noexcept {
      return where == phase::added || where == phase::posted;
    }

    state& in;
    // Let go at the end: they must not outlive their context.
    asio::any_io_executor on;
    asio::any_io_executor keeps_running;
    asio::cancellation_signal signal;
    phase where = phase::added;
    asio::awaitable<void> work;  // while it is posted
    bool gone = false;           // its context is ending, perhaps on another thread
    bool given_up = false;
    std::exception_ptr failure;
  };

  /// What an ended branch lets go, destroyed outside the lock.
  struct remains {
    asio::any_io_executor on;
    asio::any_io_executor keeps_running;
    asio::awaitable<void> work;
  };

  void end_locked(branch& which, std::exception_ptr failure, remains& rest) noexcept {
    which.where = phase::ended;
    which.failure = std::move(failure);
    std::swap(rest.on, which.on);
    std::swap(rest.keeps_running, which.keeps_running);
    rest.work = std::move(which.work);
    --running;
  }

  /// The branch's coroutine has ended, or was destroyed. One that was given up has ended before.
  void end(std::size_t index, std::exception_ptr failure) noexcept {
    remains rest;
    const std::lock_guard lock(mutex);
    branch& mine = all[index];
    if (mine.where == phase::ended) return;
    end_locked(mine, std::move(failure), rest);
    if (running == 0 && joining) joining->set();
  }

  void cancel(asio::cancellation_type type) noexcept {
    const auto self = shared_from_this();  // the owner may go on once nothing runs
    for (;;) {
      remains rest;
      const std::lock_guard lock(mutex);
      const auto next = std::find_if(all.begin(), all.end(),
                                     [](const branch& each) { return each.waits_to_begin(); });
      if (next != all.end()) {
        next->given_up = true;
        end_locked(*next, aborted("cancelled before it began"), rest);
        continue;
      }
      for (branch& each : all) tell_locked(each, type);
      if (running == 0 && joining) joining->set();
      return;
    }
  }

  /// On the branch's executor: takes the work. False if it was given up.
  bool begin(std::size_t index, asio::awaitable<void>& work) noexcept {
    const std::lock_guard lock(mutex);
    branch& mine = all[index];
    if (mine.where != phase::posted) return false;
    mine.where = phase::running;
    work = std::move(mine.work);
    return true;
  }

  void tell_locked(branch& which, asio::cancellation_type type) noexcept {
    if (which.where != phase::running || which.gone) return;
    note_told_to_end(which.on);
    // A signal is used on its branch's executor only. Its context does not end before the lock
    // does.
    asio::post(which.on, [self = shared_from_this(), &which, type] {
      bool ended = false;
      {
        const std::lock_guard again(self->mutex);
        ended = which.where == phase::ended;
      }
      if (!ended) which.signal.emit(type);
    });
  }

  mutable std::mutex mutex;
  std::deque<branch> all;   // grows without moving what is there
  std::size_t running = 0;  // not ended
  std::optional<one_shot_event> joining;
};

namespace {

/// Called when a branch has ended; destroyed uncalled when its context is.
class at_end {
 public:
  at_end(std::shared_ptr<branches::state> all, std::size_t index) noexcept
      : all_(std::move(all)), index_(index) {}
  at_end(at_end&&) noexcept = default;
  at_end& operator=(at_end&&) = delete;
  ~at_end() {
    if (all_) all_->end(index_, aborted("its executor was destroyed"));
  }

  void operator()(std::exception_ptr failure) {
    std::exchange(all_, nullptr)->end(index_, std::move(failure));
  }

 private:
  std::shared_ptr<branches::state> all_;
  std::size_t index_;
};

/// The coroutine that is spawned: what is given up before its first line has no other.
asio::awaitable<void> run(std::shared_ptr<branches::state> all, std::size_t index) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  asio::awaitable<void> work;
  if (all->begin(index, work)) co_await std::move(work);
}

}  // namespace

branches::branches() : state_(std::make_shared<state>()) {}
branches::~branches() = default;

std::size_t branches::add(const asio::any_io_executor& on) {
  const std::lock_guard lock(state_->mutex);
  state_->all.emplace_back(*state_, on);
  ++state_->running;
  return state_->all.size() - 1;
}

void branches::launch(std::size_t index, asio::awaitable<void> work) {
  at_end ended(state_, index);
  asio::any_io_executor on;
  asio::cancellation_slot slot;
  {
    const std::lock_guard lock(state_->mutex);
    state::branch& mine = state_->all[index];
    if (mine.where != state::phase::added) return;  // given up meanwhile
    mine.where = state::phase::posted;
    mine.work = std::move(work);
    on = mine.on;
    slot = mine.signal.slot();
  }
  if (!on) return;  // its context has ended already, and so has the branch
  asio::co_spawn(on, run(state_, index), asio::bind_cancellation_slot(slot, std::move(ended)));
}

asio::awaitable<void> branches::join(when_cancelled what) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto told = asio::cancellation_type::none;
  for (;;) {
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->running == 0) break;
      state_->joining.emplace();
    }
    const auto before = co_await asio::this_coro::cancellation_state;
    if (what == when_cancelled::cancel_branches && before.cancelled() != told) {
      told = before.cancelled();
      cancel(told);
    }
    co_await state_->joining->wait();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

void branches::cancel(asio::cancellation_type type) noexcept { state_->cancel(type); }

std::exception_ptr branches::failure(std::size_t index) const {
  const std::lock_guard lock(state_->mutex);
  return state_->all[index].failure;
}

bool branches::was_given_up(std::size_t index) const {
  const std::lock_guard lock(state_->mutex);
  return state_->all[index].given_up;
}

bool branches::has_lost_context(std::size_t index) const {
  const std::lock_guard lock(state_->mutex);
  return state_->all[index].gone;
}

std::size_t branches::size() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->all.size();
}

}  // namespace msgbus::exec
