#pragma once

/// A page in the browser about a program that runs. Target `msgbus::monitor`.

#include <msgbus/async/host.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace msgbus {

/// The options of a `monitor`.
struct monitor_options {
  using duration = std::chrono::steady_clock::duration;

  std::string title = "msgbus";         ///< the name of the program, for people
  std::string address = "127.0.0.1";    ///< of the interface that it listens on
  std::uint16_t port = 0;               ///< 0: one that is free
  std::string token = {};               ///< a bearer token that requests for figures must have
  std::vector<std::string> hosts = {};  ///< further names under which browsers may call it
  /// Whether dead letters may be replayed and discarded; otherwise it changes nothing.
  bool allow_actions = false;
  duration interval = std::chrono::seconds(1);  ///< how often figures are read
  /// An executor that has not run a posted function for so long is said to be stalled.
  duration stalled_after = std::chrono::seconds(1);
  std::uint32_t sample = 1;     ///< the times of one message in so many, chosen at random
  std::size_t max_streams = 8;  ///< of events at a time; each has a thread
};

/// Serves a page about the components of a host over HTTP, with live figures, the graph, the last
/// failures and dead letters; and the same as JSON, and metrics for Prometheus:
///
///     msgbus::monitor page(all);  // a host
///     std::printf("%s\n", page.url().c_str());
///
/// It has threads of its own, and waits for no executor of the program: it answers while every
/// thread is stuck in a handler, and says so. It measures the times of messages, as `metrics` does,
/// and changes nothing else unless `allow_actions` is set.
///
/// Without a token, every user of this machine may read it. The host, its components and their
/// contexts may be destroyed before the monitor, and the monitor before them, at any time.
/// Thread-safe, except for the destructor.
class monitor {
 public:
  /// Begins to listen.
  ///
  /// Throws: `bad_arguments` for an address or port that cannot be listened on, an interval or a
  /// number of streams that is not positive, and for actions without a token at an address that is
  /// not of this machine alone.
  explicit monitor(async::host& host, monitor_options options = {});
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;
  /// Ends all streams. A client that reads nothing, or that has sent nothing, delays it for 2
  /// seconds at most; one that sends a request byte by byte delays it until the request is
  /// complete.
  ~monitor();

  /// The port that it listens on.
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// The address of the page: `http://127.0.0.1:41234/`.
  [[nodiscard]] std::string url() const;

 private:
  class running;
  const std::unique_ptr<running> running_;
};

}  // namespace msgbus
