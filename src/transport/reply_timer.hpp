#pragma once

/// One timer for all that wait for replies on one executor.

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/deadline_queue.hpp>

#include <asio/any_io_executor.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>

namespace msgbus::transport {

/// Tells waits that their time is over, on the executor that they share. Thread-safe; owned by
/// shared pointer.
///
/// Two states: at rest (no timer runs), and armed (a timer runs, for a time that is no later than
/// the earliest wait's). It is at rest when it has no waits, so that it does not keep the context
/// running. A wait that leaves does not move the timer, unless it was the last one; a timer that
/// expires too early is started again. So a reply costs a place in a heap, and mostly no timer.
class reply_timer {
 public:
  /// A wait. Owned by shared pointer; it keeps its timer.
  class wait : public std::enable_shared_from_this<wait>, private exec::deadline_queue::entry {
   public:
    wait() = default;
    virtual ~wait() { leave(); }

    /// Begins it. Once, by its owner, before others know it.
    void begin(std::shared_ptr<reply_timer> in, exec::clock::duration after);
    /// Ends it, by its owner; nothing happens if it has not begun. `time_is_over` may be under way
    /// on another thread.
    void leave() noexcept;

   private:
    friend class reply_timer;
    virtual void time_is_over() noexcept = 0;
    std::shared_ptr<reply_timer> in_;  // for its owner
  };

  /// For waits on this executor, whose context has this clock installed, if any.
  reply_timer(const asio::any_io_executor& executor, std::shared_ptr<exec::clock> by);
  reply_timer(const reply_timer&) = delete;
  reply_timer& operator=(const reply_timer&) = delete;
  ~reply_timer();

  /// Whether it is the timer for waits on this executor. Of none, once the context has ended.
  [[nodiscard]] bool is_for(const asio::any_io_executor& executor, const exec::clock* by) const;

 private:
  class state;
  const std::shared_ptr<state> state_;
};

/// The timers of the executors that have waited of late. A wait on another one gets a new timer.
/// Thread-safe.
class reply_timers {
 public:
  /// The timer for waits on this executor.
  [[nodiscard]] std::shared_ptr<reply_timer> of(const asio::any_io_executor& caller);

 private:
  std::mutex mutex_;  // of what follows
  std::array<std::shared_ptr<reply_timer>, 4> recent_;
  std::size_t next_ = 0;  // the place that another one gets
};

}  // namespace msgbus::transport
