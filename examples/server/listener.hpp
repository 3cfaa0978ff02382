#pragma once

/// Accepts connections, and knows those there are. Except where it says otherwise, its functions
/// are called on its strand.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_set>

#include "connection_limits.hpp"

namespace exchange {

class board;
class gateway;
class session;

class listener {
 public:
  /// Listens on the loopback address at once; port 0 is any that is free. Throws if it cannot. So
  /// many threads run the context.
  listener(asio::io_context& io, int threads, std::uint16_t port, const connection_limits& limits,
           const gateway& gateway, exchange::board& board);

  [[nodiscard]] asio::ip::tcp::endpoint address() const { return acceptor_.local_endpoint(); }
  [[nodiscard]] asio::any_io_executor executor() { return acceptor_.get_executor(); }

  /// Until `stop`.
  asio::awaitable<void> accept();

  /// Accept nobody new, and have the sessions read no further.
  void stop();

  /// Have the sessions write what waits and close; those that have not at the deadline are cut off.
  /// Returns how many those were.
  asio::awaitable<std::size_t> finish(std::chrono::steady_clock::time_point deadline);

  struct totals {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;    // more than there may be
    std::uint64_t timed_out = 0;  // of those that were accepted
    std::uint64_t open = 0;
  };
  /// May be called from any thread.
  [[nodiscard]] totals stats() const;

 private:
  void begin(asio::ip::tcp::socket peer);
  void refuse(asio::ip::tcp::socket& peer) const;

  asio::io_context& io_;
  const int threads_;
  const connection_limits limits_;
  const gateway& gateway_;
  exchange::board& board_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  asio::steady_timer empty_;  // never expires; cancelled when the last session has ended
  std::unordered_set<std::shared_ptr<session>> sessions_;
  std::atomic<std::uint64_t> accepted_{0}, refused_{0}, timed_out_{0}, open_{0};
};

}  // namespace exchange
