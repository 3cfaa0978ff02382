#pragma once

/// NATS and JetStream as a transport, through NATS's own C client.

#include <msgbus/transport/transport.hpp>

#include <functional>
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
  /// What the server's certificate must name; empty: the url's host. Must be given if that is an
  /// address, or if there are several.
  std::string expected_host = {};
};

/// What happens to a connection without anybody having asked.
struct event {
  enum class kind { disconnected, reconnected, closed, slow_consumer, failed };
  kind what;
  std::string text;  ///< for people, in one line: server, subject, the client library's words
};

/// The options of a connection to NATS.
struct options {
  /// Several are separated by commas. A comma within a password separates nothing, unless a scheme
  /// (`nats://`) comes next: so a url that has a login and is not the first begins with its scheme.
  /// User, password and token may be percent-encoded, as `%2C` for a comma; all else stands for
  /// itself: the last `@` of a url ends its login, the first `:` in that its user.
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
  int reconnect_buffer = 8 << 20;  ///< bytes kept while the connection is away
  int pending_limit =
      65536;          ///< messages that a subscription keeps for a slow consumer; then it drops
  bool echo = false;  ///< whether a connection gets what it has published itself
  /// Called on the executor. What it throws is one line on stderr, and changes nothing.
  std::function<void(const event&)> on_event = {};
};

/// Connects. `executor` is where the transport calls back, and where the timers of its sources run:
/// its context has work as long as a source is open. Throws `disconnected` (no server there),
/// `access_denied` (credentials, certificates), `transport_failed`; each names url and reason, and
/// never a password. A connection that was made comes back by itself (B9).
[[nodiscard]] asio::awaitable<std::shared_ptr<transport::transport>> open(
    asio::any_io_executor executor, const options& options);

}  // namespace msgbus::nats
