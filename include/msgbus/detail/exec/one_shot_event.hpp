#pragma once

/// An event that one coroutine awaits once, and any thread sets.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <exception>
#include <optional>

namespace msgbus::exec {

/// One coroutine awaits `wait`; any thread calls `set`, before or after. For several coroutines, or
/// waits that take something, use a `wait_list`, whose nodes are these.
///
/// States: fresh -> waiting (the handler is stored) -> set, or fresh -> set. The handler belongs to
/// the thread that unlinks it from its context: the one that calls `set`, or that destroys the
/// context.
class one_shot_event : private context_shutdown_hook {
 public:
  one_shot_event() = default;
  virtual ~one_shot_event() = default;

  /// Completes: when `set` has been called, or the wait is cancelled.
  /// Throws: `bad_alloc` if there was no memory to begin the wait, and the event is as before; the
  /// caller reads its cancellation state before it takes anything (A9).
  /// Cancellation: ends the wait as `set` does.
  /// Executor: the caller's, never inline. Destroying its context destroys the waiting coroutine
  /// (A12).
  asio::awaitable<void> wait();

  /// For any thread; the first call counts. The event may be destroyed afterwards.
  void set() noexcept;

  [[nodiscard]] bool is_set() const noexcept {
    return state_.load(std::memory_order_acquire) == state::set;
  }

 protected:
  enum class claimed {
    nothing,    // it was set before, or its context is ending
    unstarted,  // the wait has not begun, and will end immediately
    handler     // the wait has begun: the caller calls `post_claimed`, without delay
  };

  /// Sets it, without posting the handler. Neither the coroutine nor its context can end until the
  /// handler is posted, so a list may collect handlers under a lock and post them after it.
  [[nodiscard]] claimed claim() noexcept;
  /// Once, after `claim` has returned `handler`. The event may be destroyed afterwards.
  void post_claimed() noexcept;

  /// Called by the coroutine, between two waits: the event can be awaited again.
  void rearm() noexcept { state_.store(state::fresh, std::memory_order_relaxed); }

 private:
  friend class event_batch;
  enum class state { fresh, waiting, set };
  using handler = asio::async_result<std::decay_t<asio::use_awaitable_t<>>,
                                     void(std::exception_ptr)>::handler_type;

  /// The stored handler, with the memory to post it, so that no wake can fail. It is in the frame
  /// that Asio makes for the wait, which the handler keeps.
  struct place {
    [[nodiscard]] handler take() {
      handler taken(std::move(*waiting));
      waiting.reset();
      return taken;
    }
    std::optional<handler> waiting;
    wake_memory memory;
    place* next = nullptr;  // in a batch
  };
  class initiation;
  struct resumption;

  static void post(place& at, std::exception_ptr failure = nullptr);
  void start(handler&& waiting, place& at);
  void context_ended() noexcept override;

  std::atomic<state> state_{state::fresh};
  place* place_ = nullptr;  // while the handler is stored
};

/// Completes: when the executor has run other functions that wait there.
/// Throws: nothing.
/// Cancellation: none.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<void> yield_to_others();

/// Sets events together. Their coroutines go on in that order, each by itself; but all of one
/// executor cost its thread one wake. So a thread that brings many answers at once does not wake,
/// and lock out, the thread that wants them for each. For one thread.
class event_batch {
 public:
  event_batch() = default;
  event_batch(const event_batch&) = delete;
  event_batch& operator=(const event_batch&) = delete;
  ~event_batch() { post(); }

  /// As `one_shot_event::set`. The coroutine goes on once the batch is destroyed, or earlier.
  void set(one_shot_event& event) noexcept;

 private:
  class in_turn;
  void post() noexcept;

  one_shot_event::place* first_ = nullptr;  // all of one executor
  one_shot_event::place* last_ = nullptr;
  std::optional<context_keeper> until_posted_;
};

}  // namespace msgbus::exec
