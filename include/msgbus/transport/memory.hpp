#pragma once

/// A transport inside one process, for tests without a server.

#include <msgbus/detail/exec/requirements.hpp>
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
  bool echo = false;                  ///< whether a connection receives its own bulk messages
  std::string name = {};              ///< for error texts
  std::size_t pending_limit = 65536;  ///< what a subscription keeps for a slow executor; then it
                                      ///< drops
  std::size_t away_limit = 65536;     ///< messages that are kept to be sent while the connection
                                      ///< is away; `publish` of more throws `full`
  /// The largest size of a message with its headers, in bytes; 0: no limit. The default is that of
  /// nats-server, so a message that is too large for a server is too large in a test.
  std::size_t max_payload = 1 << 20;
};

/// The broker of connections inside one process. Thread-safe. Copies refer to the same broker,
/// which lives as long as any of its connections.
///
/// Sinks are called on the executor of their connection, never inside another call, with `may_wait`
/// false. Deliveries that are unsettled when their connection is closed are redelivered
/// immediately. Times follow the clocks of the connections' contexts, so a `testing::manual_clock`
/// controls them; if the contexts have different clocks, the latest time counts.
///
///     msgbus::memory_broker broker;
///     auto orders = broker.connect(io);
///     auto billing = broker.connect(io);
class memory_broker {
 public:
  memory_broker();

  /// Connects, before it returns. The connection is closed when the executor's context is
  /// destroyed.
  [[nodiscard]] std::shared_ptr<transport::transport> connect(asio::any_io_executor executor) const;
  [[nodiscard]] std::shared_ptr<transport::transport> connect(asio::any_io_executor executor,
                                                              const memory_options& options) const;
  /// The same with the executor of a context, such as an `asio::io_context`.
  template <exec::execution_context Context>
  [[nodiscard]] std::shared_ptr<transport::transport> connect(Context& context) const {
    return connect(asio::any_io_executor(context.get_executor()));
  }
  template <exec::execution_context Context>
  [[nodiscard]] std::shared_ptr<transport::transport> connect(Context& context,
                                                              const memory_options& options) const {
    return connect(asio::any_io_executor(context.get_executor()), options);
  }

  /// Disconnects a connection from the broker, as a broken cable does. Its own messages and
  /// settlements are kept until `restore`; messages of others are missed; its unsettled deliveries
  /// go to others after their `ack_wait`. Without an argument, all present and future connections.
  ///
  /// Throws: `std::invalid_argument` if the connection belongs to another broker.
  void cut() const;
  void cut(const transport::transport& connection) const;

  /// Connects them again.
  void restore() const;
  void restore(const transport::transport& connection) const;

 private:
  std::shared_ptr<transport::memory::hub> hub_;
};

}  // namespace msgbus
