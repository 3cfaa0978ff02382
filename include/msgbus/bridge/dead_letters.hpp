#pragma once

/// The dead letters of durable links, in the stream that keeps them.

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/headers.hpp>

#include <asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
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
std::ostream& operator<<(std::ostream& out, const stored_dead_letter& value);

/// The dead letters of a stream, with the members of `async::dead_letters`. Made by
/// `bridge::dead_letters`; copies refer to the same stream. Every member function may be called
/// from any thread. Messages of the stream that are no dead letters are skipped, and never removed.
///
///     auto letters = bridge.dead_letters("DEAD");
///     for (const auto& each : co_await letters.snapshot()) show(each);
///     co_await letters.replay([](const auto& each) { return each.durable == "billing"; });
///
/// The following holds for all members.
/// Throws: `bad_arguments` if the stream has messages, and none of the first 1000 is a dead letter;
/// `transport_failed` if there is no such stream; as the transport.
class bridge_dead_letters {
 public:
  /// A dead letter.
  using letter = stored_dead_letter;

  /// Made by the bridge.
  bridge_dead_letters(std::shared_ptr<bridging::hub> over, std::string stream,
                      std::chrono::steady_clock::duration timeout) noexcept
      : hub_(std::move(over)), stream_(std::move(stream)), timeout_(timeout) {}

  /// Reads the oldest dead letters, at most `most`.
  ///
  /// Completes: with the dead letters.
  /// Throws: as all members.
  /// Cancellation: throws Asio's `operation_aborted`.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<std::vector<letter>> snapshot(std::size_t most = 1000) const;

  /// Replays the present dead letters, or those for which `which` returns true, one after the
  /// other. Only the durable link that gave the message up handles it again, in whichever process
  /// it is (P8). Its handlers get the same message id. Attempts are counted from 1, up to
  /// `max_deliver`, with the pauses of the link. The message counts in `link_counters::replayed`,
  /// not in `received`.
  ///
  /// A dead letter is removed when its message has been handled. It is also removed when the
  /// message has failed again and a new dead letter is stored; this call does not replay the new
  /// one. A dead letter stays if no process has the link, if the component does not accept the
  /// message, or if the dead letter was shortened.
  ///
  /// Completes: when all replays have ended, with the number of handled messages.
  /// Throws: the exceptions of `which`, before the first replay; after the last one, if dead
  /// letters stay, an error that names them, the reasons, and the number of handled messages.
  /// Cancellation: ends the wait with Asio's `operation_aborted`; the current replay continues.
  /// Executor: handlers run on their component's, and the caller resumes on its own.
  [[nodiscard]] asio::awaitable<std::size_t> replay(
      std::function<bool(const letter&)> which = {}) const;

  /// Removes the dead letters, or those for which `which` returns true. One that is being replayed
  /// is removed, too, and its replay continues.
  ///
  /// Completes: when they are removed, with their number.
  /// Throws: the exceptions of `which`, before anything is removed.
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
