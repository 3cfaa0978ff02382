#pragma once

/// Threads that send the messages of one subject together.

#include "harness.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace bench {

/// What handlers that run on several threads count in: each thread has its own.
inline constinit thread_local std::uint64_t handled_here = 0;

/// How many cores the machine has; asked before any thread was kept on one of them.
[[nodiscard]] unsigned cores() noexcept;

/// Keeps the calling thread on one of the machine's cores, counted around, where that can be done:
/// threads that are meant to run at once are often put on the core of who woke them.
void stay_on(unsigned core) noexcept;
/// Lets the calling thread, and those that it starts, run on all of them again.
void roam() noexcept;

/// Sleeps between samples. `wake` returns when all threads are awake; then `send` shares the
/// messages out, and returns when all were sent.
class thread_group {
 public:
  using sender = std::function<void(unsigned number, std::uint64_t messages)>;

  thread_group(unsigned threads, sender send_some);
  ~thread_group();
  thread_group(const thread_group&) = delete;
  thread_group& operator=(const thread_group&) = delete;

  void wake();
  void send(std::uint64_t messages);
  [[nodiscard]] std::uint64_t handled() const noexcept { return handled_.load(); }

 private:
  void work(unsigned number);

  const sender send_some_;
  std::uint64_t share_ = 0;  // of each thread; written while all wait
  bool over_ = false;
  std::atomic<unsigned> woken_{0};  // how often
  std::atomic<unsigned> awake_{0};  // threads that wait for `sent_`
  std::atomic<unsigned> sent_{0};   // how often
  std::atomic<unsigned> left_{0};   // threads that have not finished the sample
  std::atomic<std::uint64_t> handled_{0};
  std::vector<std::thread> threads_;
};

/// As `sending`, from several threads to the one `State`.
template <class State, class Once>
subject sending_from(unsigned threads, std::shared_ptr<State> state, Once once) {
  auto together =
      std::make_shared<thread_group>(threads, [state, once](unsigned, std::uint64_t messages) {
        State* const to = opaque(state.get());
        for (std::uint64_t i = 0; i < messages; ++i) {
          once(*to, i);
          clobber();
        }
      });
  return {[together](std::uint64_t messages) { together->send(messages); },
          [together] { return together->handled(); }, [together] { together->wake(); }};
}

}  // namespace bench
