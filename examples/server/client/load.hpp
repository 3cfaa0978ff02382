#pragma once

/// Who puts load on the server, each a coroutine with connections of its own. All of them run on
/// one thread, so that they share a tally without locks.

#include <asio.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "client/link.hpp"
#include "client/recording.hpp"
#include "client/tally.hpp"

namespace load {

struct run;

/// What a follower got.
struct followed {
  /// One more notice: the line is the whole of it.
  void take(run& all, std::string_view topic, std::uint64_t number, std::string_view line);

  std::string pattern;      ///< what it asked for
  std::string prefix = {};  ///< what the topics that match begin with
  bool slow = false;
  std::uint64_t received = 0;
  std::uint64_t told_dropped = 0;
  std::uint64_t last = 0;      ///< the number of its last notice
  link* connection = nullptr;  ///< while it follows
};

/// What everybody shares.
struct run {
  run(asio::any_io_executor executor, asio::ip::tcp::endpoint where, recording steps)
      : server(std::move(where)),
        traffic(std::move(steps)),
        changed(std::move(executor), asio::steady_timer::time_point::max()) {}

  /// One more that has begun, or ended.
  void count(int& of, int by) {
    of += by;
    changed.cancel();
  }
  /// Something is not as it should be; said once.
  void fail(std::string sentence) { failures.insert(std::move(sentence)); }

  asio::ip::tcp::endpoint server;
  recording traffic;
  std::size_t connections = 64;
  bool through_shutdown = false;  ///< the server is to stop first
  bool through_faults = false;    ///< "unavailable" is an answer like any other
  bool flooding = true;           ///< whether there is a flooder

  bool over = false;              ///< the players are to stop
  bool all_is_published = false;  ///< slow followers need not be slow any more
  int playing = 0;
  int following = 0;
  asio::steady_timer changed;  ///< cancelled when one of the counts changes

  load::tally tally;
  std::vector<followed> followers;
  std::uint64_t floods = 0;
  std::chrono::steady_clock::duration longest_hold{};  ///< of a flood's sending
  std::uint64_t strangers = 0;
  std::set<std::string> failures;
};

/// Plays every `connections`th of the recorded sessions, one command at a time, checks each answer,
/// and starts over until it is over.
asio::awaitable<void> play(run& all, std::size_t index);

/// Sends many commands without reading an answer, then reads them all; again and again.
asio::awaitable<void> flood(run& all);

/// Follows topics until there is nothing more to come. A slow one reads a little now and then.
asio::awaitable<void> follow(run& all, followed& mine);

/// Sends an empty line for a follower, who is silent: the server closes what is silent for long.
asio::awaitable<void> keep_open(followed& follower);

/// Has a follower read what is left, and stop.
asio::awaitable<void> leave(followed& follower);

/// Those who send lines that are too long, half close, break off, and send byte by byte.
asio::awaitable<void> come_and_go(run& all);

/// Sends a line and returns the `result` of its answer. Throws if it is refused.
asio::awaitable<json> ask(link& server, std::string line);

}  // namespace load
