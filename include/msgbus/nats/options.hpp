#pragma once

/// NATS and JetStream as a transport, through NATS's own C client.

#include <msgbus/detail/exec/requirements.hpp>
#include <msgbus/transport/transport.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

namespace msgbus::nats {

/// A duration of the steady clock.
using duration = transport::duration;

/// The options of TLS.
struct tls_options {
  bool required = false;              ///< also on with a `tls://` url
  std::string ca_file = {};           ///< trusted certificates; empty: the system's
  std::string certificate_file = {};  ///< the client's own, with its key
  std::string key_file = {};
  /// The name that the server's certificate must have; empty: the url's host. Required if the host
  /// is an address, or if there are several urls.
  std::string expected_host = {};
};

/// An event of a connection that no call of the program caused.
struct event {
  enum class kind { disconnected, reconnected, closed, slow_consumer, failed };
  kind what;
  std::string text;  ///< for people, in one line: server, subject, the client library's words
};
std::ostream& operator<<(std::ostream& out, event::kind value);
std::ostream& operator<<(std::ostream& out, const event& value);

/// The options of a connection to NATS.
struct options {
  /// One url, or several, separated by commas. A comma in a password separates no urls, unless a
  /// scheme (`nats://`) follows; so every url with a login, except the first, begins with its
  /// scheme. User, password and token may be percent-encoded (`%2C` for a comma). All other
  /// characters are literal: the last `@` of a url ends the login, and the first `:` in the login
  /// ends the user.
  std::string url = "nats://127.0.0.1:4222";
  std::string name = "msgbus";  ///< as servers show it
  std::string user = {};
  std::string password = {};
  std::string token = {};
  std::string credentials_file = {};
  tls_options tls = {};
  duration connect_timeout = std::chrono::seconds(2);
  int max_reconnects = -1;  ///< -1: for ever
  duration reconnect_wait = std::chrono::milliseconds(100);
  int reconnect_buffer = 8 << 20;  ///< bytes kept while the connection is away; then `full`
  int pending_limit =
      65536;          ///< messages that a subscription keeps for a slow consumer; more are dropped
  bool echo = false;  ///< whether a connection receives its own messages
  /// Called on the executor. An exception of the function is one line on stderr.
  std::function<void(const event&)> on_event = {};
};

/// Connects. The transport calls back on `executor`, and runs the timers of its sources there: its
/// context has work as long as a source is open. An established connection reconnects by itself
/// (B9).
///
/// Completes: when the connection is established.
/// Throws: `disconnected` if no server is reachable; `access_denied` for credentials and
/// certificates; `transport_failed`. The text has the url and the reason, and never a password.
/// Cancellation: throws Asio's `operation_aborted`. The attempt ends later, on a thread of its own.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<std::shared_ptr<transport::transport>> open(
    asio::any_io_executor executor, const options& options);

/// The same with the executor of a context, such as an `asio::io_context`.
template <exec::execution_context Context>
[[nodiscard]] asio::awaitable<std::shared_ptr<transport::transport>> open(Context& context,
                                                                          const options& options) {
  return open(asio::any_io_executor(context.get_executor()), options);
}

}  // namespace msgbus::nats
