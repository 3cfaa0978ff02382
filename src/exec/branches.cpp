#include <msgbus/exec/branches.hpp>

#include <msgbus/exec/context_link.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/exec/waiter.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <deque>
#include <mutex>
#include <optional>

namespace msgbus::exec {

/// Shared by the owner and the branches.
struct branches::state : std::enable_shared_from_this<branches::state> {
  struct branch final : context_link {
    branch(state& all, const asio::any_io_executor& executor)
        : in(all), on(executor), work(work_on(executor)) {
      gone = !link(executor);
    }

    /// Nothing may be posted there any more. The end of the branch itself follows.
    void context_ended() noexcept override {
      const std::lock_guard lock(in.mutex);
      gone = true;
    }

    state& in;
    // Let go at the end: they must not outlive their context.
    asio::any_io_executor on;
    asio::any_io_executor work;
    asio::cancellation_signal signal;
    bool gone = false;      // its context is ending, perhaps on another thread
    bool launched = false;  // the signal's slot has been taken
    asio::cancellation_type told = asio::cancellation_type::none;  // before that
    bool ended = false;
    std::exception_ptr failure;
  };

  void end(std::size_t index, std::exception_ptr failure) noexcept {
    asio::any_io_executor on;
    asio::any_io_executor work;
    const std::lock_guard lock(mutex);
    branch& mine = all[index];
    mine.ended = true;
    mine.failure = std::move(failure);
    std::swap(on, mine.on);
    std::swap(work, mine.work);
    if (--running == 0 && joining) joining->wake();
  }

  void cancel(asio::cancellation_type type) noexcept {
    const std::lock_guard lock(mutex);
    for (branch& each : all) {
      if (each.launched) {
        tell_locked(each, type);
      } else {
        each.told |= type;
      }
    }
  }

  /// From now on a branch may be told to end; what it missed it is told now.
  void launched(std::size_t index) noexcept {
    const std::lock_guard lock(mutex);
    branch& mine = all[index];
    mine.launched = true;
    if (mine.told != asio::cancellation_type::none) tell_locked(mine, mine.told);
  }

  void tell_locked(branch& which, asio::cancellation_type type) noexcept {
    if (which.ended || which.gone) return;
    // A signal is used on its branch's executor only. Its context does not end before the lock
    // does.
    asio::post(which.on, [self = shared_from_this(), &which, type] {
      bool ended = false;
      {
        const std::lock_guard again(self->mutex);
        ended = which.ended;
      }
      if (!ended) which.signal.emit(type);
    });
  }

  mutable std::mutex mutex;
  std::deque<branch> all;  // grows without moving what is there
  std::size_t running = 0;
  std::optional<waiter> joining;
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
    if (all_) {
      all_->end(index_, std::make_exception_ptr(asio::system_error(asio::error::operation_aborted,
                                                                   "its executor was destroyed")));
    }
  }

  void operator()(std::exception_ptr failure) {
    std::exchange(all_, nullptr)->end(index_, std::move(failure));
  }

 private:
  std::shared_ptr<branches::state> all_;
  std::size_t index_;
};

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
    on = state_->all[index].on;
    slot = state_->all[index].signal.slot();
  }
  if (!on) return;  // its context has ended already, and so has the branch
  asio::co_spawn(on, std::move(work), asio::bind_cancellation_slot(slot, std::move(ended)));
  state_->launched(index);
}

asio::awaitable<void> branches::join() {
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
    if (before.cancelled() != told) {
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

bool branches::has_lost_context(std::size_t index) const {
  const std::lock_guard lock(state_->mutex);
  return state_->all[index].gone;
}

std::size_t branches::size() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->all.size();
}

}  // namespace msgbus::exec
