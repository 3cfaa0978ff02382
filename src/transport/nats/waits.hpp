#pragma once

/// All waits of a transport for something that nats.c's threads bring, and their deadlines.

#include "connection.hpp"
#include "worker.hpp"

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace msgbus::nats {

using time_point = std::chrono::steady_clock::time_point;

/// How a wait has ended.
struct answer {
  enum class how { given, late, lost, closed };
  how came = how::given;
  std::string status = {};   ///< of a message without a payload: the server's code
  std::string payload = {};  ///< or an error's text
  int code = 0;              ///< a natsStatus
};

/// What a thread of nats.c gives to a coroutine that waits for it. Shared by the coroutine, whose
/// context may be destroyed while it waits, and who gives.
class handover {
 public:
  /// From any thread; the first one counts.
  void give(answer&& what) noexcept {
    if (taken_.exchange(true, std::memory_order_acq_rel)) return;
    answer_ = std::move(what);
    given_.store(true, std::memory_order_release);
    event_.set();
  }

  /// Throws Asio's `operation_aborted` if the wait is cancelled.
  static asio::awaitable<answer> wait(std::shared_ptr<handover> on) {
    co_await on->event_.wait();
    if (!on->given_.load(std::memory_order_acquire)) exec::throw_aborted("NATS");
    co_return std::move(on->answer_);
  }

 private:
  exec::one_shot_event event_;
  std::atomic<bool> taken_{false};
  std::atomic<bool> given_{false};
  answer answer_;
};

/// Thread-safe. Deadlines are kept to within a few hundredths of a second.
class waits : public std::enable_shared_from_this<waits> {
 public:
  enum class kind {
    answer,  ///< for a message over a connection: ends when that is lost
    pause,   ///< ends early when a connection is back
    other    ///< for something that always comes
  };

  /// A place in the table, left by the destructor.
  class place {
   public:
    place(std::shared_ptr<waits> in, time_point until, kind what, std::optional<role> over = {});
    ~place();
    place(const place&) = delete;
    place& operator=(const place&) = delete;

    /// By which `give` finds it: unique for as long as the table lives.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    [[nodiscard]] const std::shared_ptr<handover>& where() const noexcept { return where_; }
    [[nodiscard]] asio::awaitable<answer> wait() const { return handover::wait(where_); }

   private:
    const std::shared_ptr<waits> in_;
    const std::shared_ptr<handover> where_;
    std::uint64_t number_;
  };

  explicit waits(std::shared_ptr<worker> clock) : clock_(std::move(clock)) {}

  /// False if nobody waits there any more.
  bool give(std::uint64_t number, answer&& what) noexcept;
  void lost(role which) noexcept;
  void back() noexcept;
  void close() noexcept;

  /// How many wait for messages over a connection.
  [[nodiscard]] std::size_t answers_awaited() const noexcept {
    return answers_.load(std::memory_order_relaxed);
  }

 private:
  struct entry {
    std::shared_ptr<handover> where;
    time_point until;
    kind what = kind::other;
    std::optional<role> over;
    std::uint32_t turn = 0;  // how often the slot has been used
  };

  std::uint64_t add(std::shared_ptr<handover> where, time_point until, kind what,
                    std::optional<role> over);
  void remove(std::uint64_t number) noexcept;
  entry* find(std::uint64_t number) noexcept;
  void start_clock();
  void look_at_clock() noexcept;
  template <class Which>
  void end_all(Which which, answer::how came) noexcept;

  const std::shared_ptr<worker> clock_;
  std::atomic<std::size_t> answers_{0};
  std::mutex mutex_;  // of all below
  std::vector<entry> entries_;
  std::vector<std::uint32_t> free_;
  bool clock_runs_ = false;
  bool closed_ = false;
};

}  // namespace msgbus::nats
