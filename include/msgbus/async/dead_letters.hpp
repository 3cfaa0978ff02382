#pragma once

/// What handlers have finally failed with, kept until a person decides.

#include <msgbus/options.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace msgbus::async {

namespace detail {
class dead_letter_store;
struct letter_access;
}  // namespace detail

/// A message that a handler has failed with, after its last attempt.
struct dead_letter {
  std::uint64_t id = 0;      ///< among the letters, in the order in which they were added
  std::string message;       ///< the name of its type
  std::string handler;       ///< as errors name it
  std::string reason;        ///< what the handler threw last
  std::size_t attempts = 0;  ///< how often the handler ran; 0 if a policy did not let it
  std::chrono::system_clock::time_point at;
  std::string topic;       ///< empty for an event
  std::string message_id;  ///< empty for a message that never left the process
};

/// The options of `dead_letters`.
struct dead_letter_options {
  std::size_t capacity = 10'000;
  /// What becomes of one more: `drop_oldest` discards the oldest letter, `drop_newest` and `reject`
  /// the new one. Counted as dropped. `suspend` is not possible: nobody would make room.
  overflow on_full = overflow::drop_oldest;
  /// Told of each letter that is kept, on the thread of its handler. What it throws is one line on
  /// stderr.
  std::function<void(const dead_letter&)> on_add = {};
};

/// Letters, by what has become of them: at every quiet moment
/// `added = replayed + discarded + dropped + size()`.
struct dead_letter_counters {
  std::uint64_t added = 0;
  std::uint64_t replayed = 0;  ///< handled, or failed once more: then another letter was added
  std::uint64_t discarded = 0;
  std::uint64_t dropped = 0;
};

/// Keeps the messages that handlers have finally failed with, in memory:
///
///     auto letters = std::make_shared<msgbus::async::dead_letters>();
///     orders.handler(charge_card, {.retry = {.attempts = 5}, .dead_letters = letters});
///
/// Such a message still counts as failed, and its sender is told as without this (P2). A message
/// that was cancelled is no dead letter, nor is one that another attempt has saved. Components and
/// handlers may share one. Every member function may be called from any thread.
class dead_letters {
 public:
  using letter = dead_letter;

  /// Throws `unsupported` for `overflow::suspend`.
  explicit dead_letters(dead_letter_options options = {});
  dead_letters(const dead_letters&) = delete;
  dead_letters& operator=(const dead_letters&) = delete;
  ~dead_letters();

  /// The letters, the oldest first.
  [[nodiscard]] std::vector<letter> snapshot() const;
  /// The number of letters.
  [[nodiscard]] std::size_t size() const;
  /// The outcomes of all letters so far.
  [[nodiscard]] dead_letter_counters stats() const;

  /// Has the letters that are there now, or those of them that `which` is true for, handled once
  /// more, one after the other: each by the handler that failed and by no other (P8), as its policy
  /// says, with the same message id and fresh attempts. Its component counts it once more. One that
  /// fails again becomes another letter, which is not replayed by this call. One whose handler or
  /// component has gone stays, as does one whose replay was cancelled.
  ///
  /// Completes: when all have ended, with how many were handled.
  /// Throws: what `which` throws, before anything is replayed; Asio's `operation_aborted`.
  /// Cancellation: ends the replay of the letter in hand, and waits for that.
  /// Executor: handlers run on their component's, and the caller resumes on its own.
  [[nodiscard]] asio::awaitable<std::size_t> replay(std::function<bool(const letter&)> which = {});

  /// Removes the letters, or those that `which` is true for; -> how many. One that is just being
  /// replayed stays.
  std::size_t discard(std::function<bool(const letter&)> which = {});

 private:
  friend detail::letter_access;
  const std::shared_ptr<detail::dead_letter_store> store_;
};

}  // namespace msgbus::async
