#pragma once

// Handlers that have their effect once per message: the messages in progress, and those that were
// handled before. docs/design/0028.

#include <msgbus/detail/exec/async_resolution.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/durable/transaction.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace msgbus::durable::detail {

/// The handlers with `once` that run now, each with the id of its message. Thread-safe.
class runs_in_hand {
 public:
  /// Null: the key is the caller's until `release`. Else an event to wait for, and to try again.
  [[nodiscard]] std::shared_ptr<exec::one_shot_event> try_take(const std::string& key);
  void release(const std::string& key) noexcept;

 private:
  std::mutex mutex_;
  // Under the mutex: the waits for the end of each.
  std::unordered_map<std::string, std::vector<std::shared_ptr<exec::one_shot_event>>> taken_;
};

/// A run of a handler with a message, in the frame of its coroutine.
class run_in_hand {
 public:
  run_in_hand(std::shared_ptr<database_core> in, const exec::once_request& of);
  run_in_hand(const run_in_hand&) = delete;
  run_in_hand& operator=(const run_in_hand&) = delete;
  ~run_in_hand();

  /// Completes: when this handler runs for this message nowhere else.
  /// Cancellation: throws Asio's `operation_aborted`.
  [[nodiscard]] asio::awaitable<void> begin();

 private:
  const std::shared_ptr<database_core> core_;
  const std::string key_;
  bool is_begun_ = false;
};

/// A run that was committed before.
struct handled_before {
  std::optional<exec::kept_answer> answer = {};
};

/// Empty: the message was not handled by this handler before.
[[nodiscard]] asio::awaitable<std::optional<handled_before>> find_handled(
    std::shared_ptr<database_core> in, const exec::once_request& of);

/// Notes in the transaction that the message is handled, with its answer.
void keep_id(const database_core& in, transaction& with, exec::once_request& of);

}  // namespace msgbus::durable::detail
