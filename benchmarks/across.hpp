#pragma once

/// What workloads are made of whose messages are sent by one thread and handled by another.

#include "harness.hpp"
#include "thread_group.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace bench {

/// What a thread does that waits for another one which is about to be done: it pauses, and after a
/// while lets others run.
class patience {
 public:
  void wait() noexcept;

 private:
  unsigned waited_ = 0;
};

/// What the handlers of one thread count in, and other threads wait for.
class tally {
 public:
  tally() = default;
  /// All that could still be handled has been. Ends the program if that was too much.
  ~tally();
  tally(const tally&) = delete;

  /// For the thread that handles: one more.
  void handled(const order_created& event) noexcept {
    asm volatile("" : : "r"(&event) : "memory");  // the message was made, and looked at
    const std::uint64_t now = count_.load(std::memory_order_relaxed) + 1;
    count_.store(now, std::memory_order_relaxed);
    if (now == goal_.load(std::memory_order_relaxed)) [[unlikely]]
      arrived();
  }

  /// Before the first of so many more is sent.
  void expect(std::uint64_t more) noexcept { goal_ += more; }
  /// Returns when all that were expected were handled. Ends the program if that seems never to be.
  void wait() const noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// When the handler of the last one that was expected began.
  [[nodiscard]] std::chrono::steady_clock::time_point arrival() const noexcept { return arrival_; }
  [[nodiscard]] bool is_due() const noexcept {
    return count_.load(std::memory_order_relaxed) < goal_.load(std::memory_order_acquire);
  }

 private:
  void arrived() noexcept;
  [[noreturn]] void fail(const char* when) const noexcept;

  alignas(64) std::atomic<std::uint64_t> count_{0};  // written by the thread that handles
  std::uint64_t allocated_ = 0;                      // by that thread, when it last arrived
  std::chrono::steady_clock::time_point arrival_;
  alignas(64) std::atomic<std::uint64_t> goal_{0};  // written while nothing is under way
  std::atomic<std::uint64_t> reached_{0};           // a goal, when all it takes is done
};

/// A thread on a core of its own, for queues that one has to look into: while messages are due it
/// calls `look`, which takes what is there. Otherwise it sleeps.
class looker {
 public:
  looker(unsigned core, const tally& count, std::function<void()> look);
  ~looker();
  looker(const looker&) = delete;

  /// Returns when the thread is awake.
  void wake();

 private:
  void work();

  const unsigned core_;
  const tally& count_;
  const std::function<void()> look_;
  std::atomic<bool> over_{false};
  std::atomic<unsigned> woken_{0};  // how often
  std::atomic<unsigned> awake_{0};  // and which of these times the thread has seen
  std::thread thread_;
};

/// One way across: a `Way` is made with the tally that its handler counts in and the number of the
/// core to handle on, and has `send(producer, event)`. The first producers are on the first cores.
/// `wake()` and `rest()`, if it has them, are called around each sample.
template <class Way, class Tally = tally>
struct across {
  template <class... Given>
  explicit across(unsigned producers, const Given&... given)
      : way(count, producers, producers, given...) {}

  Tally count;  // first: ways use it until they are gone
  Way way;
};

/// Lets all threads fall asleep.
void idle() noexcept;

/// Sends from so many threads. Timed until the last message was handled.
template <class Way, class... Given>
contender sending_across(std::string name, role what, unsigned producers, Given... given) {
  auto make = [producers, given...] {
    auto state = std::make_shared<across<Way>>(producers, given...);
    const auto send = [state](unsigned producer, std::uint64_t messages) {
      Way* const way = opaque(&state->way);
      for (std::uint64_t i = 0; i < messages; ++i) {
        way->send(producer, order_created{i, 9.99});
        clobber();
      }
    };
    subject made;
    made.handled = [state] { return state->count.count(); };
    const auto wake_way = [state] {
      if constexpr (requires { state->way.wake(); }) state->way.wake();
    };
    if constexpr (requires { state->way.rest(); }) made.after = [state] { state->way.rest(); };
    if (producers == 1) {
      made.before = wake_way;
      made.send = [state, send](std::uint64_t messages) {
        state->count.expect(messages);
        send(0, messages);
        state->count.wait();
      };
    } else {
      auto together = std::make_shared<thread_group>(producers, send);
      made.before = [wake_way, together] {
        wake_way();
        together->wake();
      };
      made.send = [state, together](std::uint64_t messages) {
        state->count.expect(messages);
        together->send(messages);
        state->count.wait();
      };
    }
    return made;
  };
  return {std::move(name), what, make, 1, {}, producers};
}

template <class Way>
contender sending_across(unsigned producers) {
  return sending_across<Way>(Way::name, Way::what, producers);
}

}  // namespace bench
