#pragma once

/// The messages that durable links have given up, in the stream that keeps them.

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/headers.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

namespace bridging {
class hub;
}  // namespace bridging

/// A dead letter in a stream. `id` is its position there, `handler` names the durable link, and
/// `attempts` is the number of deliveries in which a handler may have run.
struct stored_dead_letter : async::dead_letter {
  std::string stream;          ///< the stream of the message
  std::string durable;         ///< the durable name of the link that has given it up
  std::uint64_t sequence = 0;  ///< the position of the message in its stream
  msgbus::headers headers;     ///< those of the message
  std::string payload;         ///< the bytes of the message
  std::string missing;         ///< the parts that a shortened dead letter lacks; empty: none
};

/// The dead letters of a stream, with the members of `async::dead_letters`. Made by
/// `bridge::dead_letters`; copies are the same. Every member function may be called from any
/// thread. Messages of the stream that are no dead letters are passed over, and never removed.
///
///     auto letters = bridge.dead_letters("DEAD");
///     for (const auto& each : co_await letters.snapshot()) show(each);
///     co_await letters.replay([](const auto& each) { return each.durable == "billing"; });
///
/// All members throw `bad_arguments` if the stream has messages and none of the first 1000 is a
/// dead letter; `transport_failed` if there is no such stream; and as the transport.
class bridge_dead_letters {
 public:
  /// A dead letter.
  using letter = stored_dead_letter;

  /// Made by the bridge.
  bridge_dead_letters(std::shared_ptr<bridging::hub> over, std::string stream,
                      std::chrono::steady_clock::duration timeout) noexcept
      : hub_(std::move(over)), stream_(std::move(stream)), timeout_(timeout) {}

  /// The dead letters, the oldest first; at most so many.
  ///
  /// Completes: when they are read.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<std::vector<letter>> snapshot(std::size_t most = 1000) const;

  /// Has the dead letters that are there now, or those of them that `which` is true for, handled
  /// once more, one after the other: each by the durable link that has given it up, in whatever
  /// process that is, and by no other (P8). Its handlers get the same message id, and attempts are
  /// counted from 1, up to `max_deliver` with the pauses of the link. Such a message is not in
  /// `link_counters::received`, but in `replayed`.
  ///
  /// A dead letter is removed when its message has been handled, or when another one has been
  /// stored because it failed again. That one is not replayed by this call. A dead letter stays if
  /// no process has the link, if the component does not accept the message, or if it was shortened.
  ///
  /// Completes: when all have ended, with how many were handled.
  /// Throws: what `which` throws, before anything is replayed. An error after all were tried, if
  /// some of them stay: it says which and why, and how many were handled.
  /// Cancellation: ends the wait with Asio's `operation_aborted`; the replay in hand goes on.
  /// Executor: handlers run on their component's, and the caller resumes on its own.
  [[nodiscard]] asio::awaitable<std::size_t> replay(
      std::function<bool(const letter&)> which = {}) const;

  /// Removes the dead letters, or those that `which` is true for; -> how many. One that is just
  /// being replayed is removed, too, and its replay goes on.
  ///
  /// Completes: when they are removed.
  /// Throws: what `which` throws, before anything is removed.
  /// Cancellation: throws Asio's `operation_aborted`; some may have been removed.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<std::size_t> discard(
      std::function<bool(const letter&)> which = {}) const;

 private:
  const std::shared_ptr<bridging::hub> hub_;
  const std::string stream_;
  const std::chrono::steady_clock::duration timeout_;
};

}  // namespace msgbus
