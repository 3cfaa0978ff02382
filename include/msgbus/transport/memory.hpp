#pragma once

/// A transport inside one process: for tests of the wiring, where no server is needed.

#include <msgbus/transport/transport.hpp>

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace msgbus {

namespace transport::memory {
class hub;
}  // namespace transport::memory

/// The options of a `memory_broker`.
struct memory_options {
  bool echo = false;      ///< whether a connection gets what it has published in bulk itself
  std::string name = {};  ///< for error texts
  std::size_t pending_limit = 65536;  ///< what a subscription keeps for a slow executor; then it
                                      ///< drops
  std::size_t away_limit = 65536;     ///< what is kept to be sent while the connection is away
  /// Bytes that a message may have, with its headers; 0: any number. The default is nats-server's:
  /// what is too large for a server is too large in a test.
  std::size_t max_payload = 1 << 20;
};

/// What connections of one process meet at. Thread-safe; copies are the same broker, which lives as
/// long as its connections do.
///
/// Sinks are called on the executor of their connection, never from inside another call, with
/// `may_wait` false. What is not settled when its connection is closed is delivered again at once.
/// Times are those of the connections' contexts, so that a `testing::manual_clock` rules them;
/// where contexts have different clocks, the one that has come furthest counts.
///
///     msgbus::memory_broker broker;
///     auto orders = broker.connect(executor);
///     auto billing = broker.connect(executor);
class memory_broker {
 public:
  memory_broker();

  /// Connects; it is done when this returns. The connection is closed when the executor's context
  /// is destroyed.
  [[nodiscard]] std::shared_ptr<transport::transport> connect(asio::any_io_executor executor) const;
  [[nodiscard]] std::shared_ptr<transport::transport> connect(asio::any_io_executor executor,
                                                              const memory_options& options) const;

  /// The connections lose the broker, as when a cable is cut: what they publish and settle is kept
  /// until `restore`, what others publish passes them by, and what they have not settled goes to
  /// others when its `ack_wait` is over. Without an argument all of them, and those that are still
  /// to be made. Throws `std::invalid_argument` if the connection is not this broker's.
  void cut() const;
  void cut(const transport::transport& connection) const;

  /// They are back.
  void restore() const;
  void restore(const transport::transport& connection) const;

 private:
  std::shared_ptr<transport::memory::hub> hub_;
};

}  // namespace msgbus
