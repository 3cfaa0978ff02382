#pragma once

/// Coroutines that wait for replies, which threads of nats.c bring.

#include "deadline.hpp"

#include <msgbus/detail/exec/one_shot_event.hpp>

#include "exec/timer_state.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace msgbus::nats {

/// How a wait has ended.
struct answer {
  enum class end { given, late, lost, closed };
  end came = end::given;
  std::string status = {};   ///< of a message without a payload: the server's code
  std::string payload = {};  ///< or an error's text
  int code = 0;              ///< a natsStatus
};

/// One reply to come. States: open -> kept, by the first `give`. Shared by the coroutine, whose
/// context may be destroyed while it waits, and the thread that gives.
class reply_promise final : public exec::one_shot_event, public exec::timer_state {
 public:
  explicit reply_promise(const asio::any_io_executor& caller) : exec::timer_state(caller) {}

  /// From any thread; the first one counts.
  void give(answer&& reply) noexcept;

  /// Completes: when a reply was given, or `until` has passed (`late`).
  /// Throws: Asio's `operation_aborted` if the wait is cancelled.
  /// Executor: the caller's, which is that of the promise.
  static asio::awaitable<answer> wait(std::shared_ptr<reply_promise> on, deadline until);

 private:
  std::atomic<bool> taken_{false};
  std::atomic<bool> given_{false};
  answer answer_;
};

/// The replies that are waited for over one connection, by number. States: open -> closed.
/// Thread-safe.
class reply_table {
 public:
  reply_table() = default;
  reply_table(const reply_table&) = delete;
  reply_table& operator=(const reply_table&) = delete;

  /// An entry of the table, for as long as it lives. The table outlives it.
  class pending_reply {
   public:
    pending_reply(reply_table& in, const asio::any_io_executor& caller);
    ~pending_reply();
    pending_reply(const pending_reply&) = delete;
    pending_reply& operator=(const pending_reply&) = delete;

    /// Never used again by this table.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    [[nodiscard]] const std::shared_ptr<reply_promise>& promise() const noexcept {
      return promise_;
    }
    [[nodiscard]] asio::awaitable<answer> wait(deadline until) const {
      return reply_promise::wait(promise_, std::move(until));
    }

   private:
    reply_table& in_;
    const std::shared_ptr<reply_promise> promise_;
    const std::uint64_t number_;
  };

  /// False if no reply is waited for there any more.
  bool give(std::uint64_t number, answer&& reply) noexcept;
  /// The connection was lost, and the replies with it.
  void interrupt() noexcept { end_all(answer::end::lost); }
  /// No reply comes any more: those that are waited for later end at once.
  void close() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  std::uint64_t add(const std::shared_ptr<reply_promise>& promise);
  void remove(std::uint64_t number) noexcept;
  void end_all(answer::end came) noexcept;

  std::atomic<std::size_t> size_{0};
  std::mutex mutex_;  // of what follows
  std::unordered_map<std::uint64_t, std::shared_ptr<reply_promise>> waiting_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

}  // namespace msgbus::nats
