#pragma once

/// What the front has from the other side of NATS: the operations of the orders, behind services of
/// the same names; notices, on a board that sessions follow; and what that process says of itself.
/// The bridge is in the source file alone: whoever includes this compiles none of it.

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "json_fwd.hpp"
#include "reports.hpp"

namespace msgbus::async {
class service;
class subscriber;
}  // namespace msgbus::async

namespace exchange {

class upstream {
 public:
  /// Connects: runs the context until that is done. `patience` is how long an operation may take.
  upstream(asio::io_context& io, const std::string& url, std::chrono::milliseconds patience);
  upstream(const upstream&) = delete;
  upstream& operator=(const upstream&) = delete;
  ~upstream();

  [[nodiscard]] msgbus::async::service& commands() noexcept;
  [[nodiscard]] msgbus::async::service& queries() noexcept;
  [[nodiscard]] msgbus::async::subscriber& board() noexcept;

  /// For the gateway: what is open there and here, and between. The number of connections is asked
  /// for when it is called.
  [[nodiscard]] std::function<asio::awaitable<json>()> state(
      std::function<std::uint64_t()> connections) const;

  /// What was asked for, then what others have sent. What is not done at `deadline` is abandoned.
  [[nodiscard]] asio::awaitable<std::vector<drained>> drain(
      std::chrono::steady_clock::time_point deadline);

  // May be called from any thread.

  [[nodiscard]] std::vector<component_stats> stats() const;

  struct arrivals {
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;
  };
  /// Of notices.
  [[nodiscard]] arrivals arrived() const;

 private:
  asio::awaitable<json> ask_state(std::uint64_t connections) const;

  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace exchange
