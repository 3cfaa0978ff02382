#pragma once

/// Messages that handlers have failed with after their last attempt, kept until a person decides.

#include <msgbus/dead_letter.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <vector>

namespace msgbus::async {

namespace detail {
class dead_letter_store;
struct letter_access;
}  // namespace detail

/// Keeps the messages that handlers have finally failed with, in memory:
///
///     auto letters = std::make_shared<msgbus::async::dead_letters>();
///     orders.handler(charge_card, {.retry = {.attempts = 5}, .dead_letters = letters});
///
/// Such a message still counts as failed, and its sender gets the same failure as without a store
/// (P2). A cancelled message is no dead letter, and neither is one with a later successful attempt.
/// Several components and handlers may share one store. Every member function may be called from
/// any thread.
class dead_letters {
 public:
  using letter = dead_letter;

  /// Throws: `unsupported` for `overflow::suspend`, `bad_arguments` for a capacity of 0.
  explicit dead_letters(dead_letter_options options = {});
  dead_letters(const dead_letters&) = delete;
  dead_letters& operator=(const dead_letters&) = delete;
  ~dead_letters();

  /// The dead letters, the oldest first.
  [[nodiscard]] std::vector<letter> snapshot() const;
  /// The number of dead letters.
  [[nodiscard]] std::size_t size() const;
  /// The outcomes of all dead letters so far.
  [[nodiscard]] dead_letter_counters stats() const;

  /// Replays the present dead letters, or those for which `which` returns true, one after the
  /// other. Only the handler that failed handles the message again (P8), with its policy, the same
  /// message id and fresh attempts. Its component counts the message again. A message that fails
  /// again becomes another dead letter, which this call does not replay. A dead letter stays if its
  /// handler or component no longer exists, or if its replay was cancelled.
  ///
  /// Completes: when all replays have ended, with the number of handled messages.
  /// Throws: the exceptions of `which`, before the first replay; Asio's `operation_aborted`.
  /// Cancellation: cancels the current replay, and waits for its end.
  /// Executor: handlers run on their component's, and the caller resumes on its own.
  [[nodiscard]] asio::awaitable<std::size_t> replay(std::function<bool(const letter&)> which = {});

  /// Removes the dead letters, or those for which `which` returns true, and returns their number.
  /// One that is being replayed stays.
  std::size_t discard(std::function<bool(const letter&)> which = {});

 private:
  friend detail::letter_access;
  const std::shared_ptr<detail::dead_letter_store> store_;
};

}  // namespace msgbus::async
