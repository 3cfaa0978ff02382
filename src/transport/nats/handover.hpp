#pragma once

/// What a thread of nats.c gives to a coroutine that waits for it.

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

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

/// Shared by the coroutine, whose context may be destroyed while it waits, and who gives.
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

}  // namespace msgbus::nats
