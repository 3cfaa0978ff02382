#pragma once

/// One timer for all work on one executor that has a limit of time.

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/deadline_queue.hpp>

#include <asio/any_io_executor.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::exec {

/// Ends work whose deadline has passed. Thread-safe.
///
/// Two states: at rest (no timer runs), and armed (a timer runs, for a time that is no later than
/// the earliest entry's). Entries come and go under a lock, which touches no timer. `look` adapts
/// the timer to them: it arms the timer if an entry needs it earlier. Without entries it puts the
/// timer to rest, so that the timer does not keep its context running. The caller of `look` may
/// call it a little later, and once for many entries, when a handler suspends for example. Work
/// that has ended by then costs no timer.
class deadline_timer {
  class state;

 public:
  /// Work whose deadline has passed; it is notified without a lock.
  class late_work {
   public:
    virtual void time_is_over() noexcept = 0;

   protected:
    ~late_work() = default;
  };

  /// The deadline of one piece of work. It ends by `end`, in time, or by the timer; the timer's
  /// lock decides.
  class entry : private deadline_queue::entry {
   public:
    entry() = default;

    /// Begins it, once. Returns whether the caller must call `look` soon. Throws `std::bad_alloc`.
    [[nodiscard]] bool begin(deadline_timer& in, clock::time_point at);

    struct result {
      bool in_time;     // the timer has not ended it, and never will
      bool needs_look;  // the caller must call `look` later
    };
    /// Ends it. The derived object calls it in its destructor at the latest. In time, if it had not
    /// begun.
    [[nodiscard]] result end() noexcept;

   protected:
    ~entry() = default;

   private:
    friend class deadline_timer;
    /// It was not ended in time. Called once, under the timer's lock. Returns the work to notify
    /// after the lock; null: none.
    virtual std::shared_ptr<late_work> expired() noexcept = 0;

    state* in_ = nullptr;  // null: it has not begun, or has ended
    bool is_over_ = false;
  };

  /// A timer on this executor. `by` is the clock that is installed in its context; null: none.
  deadline_timer(const asio::any_io_executor& executor, std::shared_ptr<clock> by);
  deadline_timer(const deadline_timer&) = delete;
  deadline_timer& operator=(const deadline_timer&) = delete;
  /// No entry is left.
  ~deadline_timer();

  /// Arms the timer, or puts it to rest, where that is needed.
  void look() { look(*state_); }
  /// As above but later, for a user that does not outlive this object's owner.
  using look_later = std::shared_ptr<state>;
  [[nodiscard]] look_later later() const noexcept { return state_; }
  static void look(state& at);
  /// As above, for the result of `later`.
  static void look_at(void* later);

  /// Whether it follows the clock that is installed in the executor's context now.
  [[nodiscard]] bool follows_clock_of(const asio::any_io_executor& executor) const;
  /// Whether it is the timer of this executor. Never, once the context has ended.
  [[nodiscard]] bool is_for(const asio::any_io_executor& executor) const;

 private:
  const std::shared_ptr<state> state_;
};

/// The timers of a component: of its own executor, and of those of its handlers' policies.
/// Thread-safe.
class deadline_timers {
 public:
  /// The timer of the component, which always passes the same executor. Exists as long as this
  /// object.
  [[nodiscard]] deadline_timer& of_owner(const asio::any_io_executor& executor) {
    deadline_timer* const made = own_.load(std::memory_order_acquire);
    if (made && made->follows_clock_of(executor)) [[likely]]
      return *made;
    return make_own(executor);
  }
  /// The timer of any executor.
  [[nodiscard]] std::shared_ptr<deadline_timer> of(const asio::any_io_executor& executor);

 private:
  deadline_timer& make_own(const asio::any_io_executor& executor);
  std::shared_ptr<deadline_timer> find_or_make(const asio::any_io_executor& executor);

  std::atomic<deadline_timer*> own_{nullptr};
  std::mutex mutex_;                                      // of what follows
  std::vector<std::shared_ptr<deadline_timer>> all_;      // on executors that may still exist
  std::vector<std::shared_ptr<deadline_timer>> own_all_;  // another for each clock
};

}  // namespace msgbus::exec
