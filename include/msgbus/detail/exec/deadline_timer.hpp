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

/// Tells work that its time is over. Thread-safe.
///
/// Two states: at rest (no timer runs), and armed (a timer runs, for a time that is no later than
/// the earliest entry's). Entries come and go under a lock, which touches no timer. `look` brings
/// the timer in line with them: it arms it where entries need it earlier, and puts it to rest where
/// there are none, so that it does not keep its context running. A user that is asked to look may
/// do so a little later, and once for many entries: when a handler suspends, say. Work that has
/// ended by then costs no timer.
class deadline_timer {
  class state;

 public:
  /// Work whose time was over, to be told of it without a lock.
  class late_work {
   public:
    virtual void time_is_over() noexcept = 0;

   protected:
    ~late_work() = default;
  };

  /// The limit of one piece of work, which ends in one of two ways, decided by the timer's lock: by
  /// `end`, in time; or by the timer.
  class entry : private deadline_queue::entry {
   public:
    entry() = default;

    /// Begins it; once. True: the caller has to call `look`, soon. Throws: `std::bad_alloc`.
    [[nodiscard]] bool begin(deadline_timer& in, clock::time_point at);

    struct result {
      bool in_time;     // the timer has not ended it, and will not
      bool needs_look;  // the caller has to call `look`, sometime
    };
    /// Ends it. The derived object calls it in its destructor at the latest. In time, if it had not
    /// begun.
    [[nodiscard]] result end() noexcept;

   protected:
    ~entry() = default;

   private:
    friend class deadline_timer;
    /// It was not ended in time. Called once, under the timer's lock. Returns those to be told
    /// after the lock; null: none.
    virtual std::shared_ptr<late_work> expired() noexcept = 0;

    state* in_ = nullptr;  // null: it has not begun, or has ended
    bool is_over_ = false;
  };

  /// On this executor, whose context has this clock installed, if any.
  deadline_timer(const asio::any_io_executor& executor, std::shared_ptr<clock> by);
  deadline_timer(const deadline_timer&) = delete;
  deadline_timer& operator=(const deadline_timer&) = delete;
  /// No entry is left.
  ~deadline_timer();

  /// Arms the timer, or puts it to rest, where that is needed.
  void look() { look(*state_); }
  /// The same later, for a user that does not outlive this object's owner.
  using look_later = std::shared_ptr<state>;
  [[nodiscard]] look_later later() const noexcept { return state_; }
  static void look(state& at);
  /// The same, of what `later` has returned.
  static void look_at(void* later);

  /// Whether it follows the clock that is installed in the executor's context now.
  [[nodiscard]] bool follows_clock_of(const asio::any_io_executor& executor) const;
  /// Whether it is the timer of this executor. Of none, once the context has ended.
  [[nodiscard]] bool is_for(const asio::any_io_executor& executor) const;

 private:
  const std::shared_ptr<state> state_;
};

/// The timers of a component: of its own executor, and of those of its handlers' policies.
/// Thread-safe.
class deadline_timers {
 public:
  /// That of the component, which always asks with the same executor. Exists as long as this
  /// object.
  [[nodiscard]] deadline_timer& of_owner(const asio::any_io_executor& executor) {
    deadline_timer* const made = own_.load(std::memory_order_acquire);
    if (made && made->follows_clock_of(executor)) [[likely]]
      return *made;
    return make_own(executor);
  }
  /// That of any executor.
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
