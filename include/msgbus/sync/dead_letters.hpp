#pragma once

/// What handlers of sync components have finally failed with, kept until a person decides.

#include <msgbus/dead_letter.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace msgbus::sync {

namespace detail {
class dead_letter_store;
struct letter_access;
}  // namespace detail

/// Keeps copies of the messages that handlers have finally failed with, in memory:
///
///     auto letters = std::make_shared<msgbus::sync::dead_letters>();
///     orders.handler(charge_card, {.retry = {.attempts = 5}, .dead_letters = letters});
///
/// The verb throws as without this. What it throws for a handler, be it the handler's exception or
/// a refusal of its policy, makes one letter; a message that another attempt has saved makes none.
/// Components and handlers may share one. Every member function may be called from any thread, also
/// from inside handlers.
class dead_letters {
 public:
  using letter = dead_letter;

  /// Throws: `unsupported` for `overflow::suspend`, `bad_arguments` for a capacity of 0.
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
  /// more, one after the other on this thread: each by the handler that failed and by no other
  /// (P8), as its policy says, with fresh attempts. One that fails again becomes another letter,
  /// which is not replayed by this call; its exception is not thrown. One whose handler or
  /// component has gone stays.
  ///
  /// Completes: when all have ended; returns how many were handled.
  /// Throws: what `which` throws, before anything is replayed.
  std::size_t replay(const std::function<bool(const letter&)>& which = {});

  /// Removes the letters, or those that `which` is true for, and returns how many. One that is just
  /// being replayed stays.
  std::size_t discard(const std::function<bool(const letter&)>& which = {});

 private:
  friend detail::letter_access;
  const std::shared_ptr<detail::dead_letter_store> store_;
};

}  // namespace msgbus::sync
