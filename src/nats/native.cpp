// Connections of nats.c and their options. Its statuses and messages are in native_messages.cpp.

#include "native.hpp"

#include "times.hpp"
#include "urls.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>
#include <bit>
#include <optional>
#include <system_error>
#include <utility>

namespace msgbus::nats {

// --- Options. ------------------------------------------------------------------------------------

namespace {

constexpr std::uint32_t first_that_decodes = 0x030900;  // of nats.c: percent-encoded urls

bool is_address(const std::string& host) {
  if (!host.empty() && host.front() == '[') return true;
  std::error_code no;
  asio::ip::make_address(host, no);
  return !no;
}

// nats.c checks no name unless it is told one, and knows names only, no addresses.
std::string expected_host(const options& from, const std::vector<server_url>& urls) {
  if (!from.tls.expected_host.empty()) return from.tls.expected_host;
  const std::string& host = urls.front().host;
  const bool same = std::all_of(urls.begin(), urls.end(),
                                [&](const server_url& url) { return url.host == host; });
  if (!same || is_address(host)) {
    throw error(errc::bad_arguments,
                "TLS to " + shown(from.url) +
                    ": set tls_options::expected_host to the name in the server's certificate");
  }
  return host;
}

/// Calls setters until one fails.
class setter {
 public:
  explicit setter(const options& from) : from_(from) {
    natsOptions* made = nullptr;
    status_ = natsOptions_Create(&made);
    options_.reset(made);
    check();
  }
  template <class F, class... Args>
  void operator()(F set, Args... args) {
    status_ = set(options_.get(), args...);
    check();
  }
  options_ptr take() { return std::move(options_); }

 private:
  void check() const {
    if (status_ != NATS_OK) throw failure(status_, "options for " + shown(from_.url));
  }
  const options& from_;
  options_ptr options_;
  natsStatus status_ = NATS_OK;
};

void set_tls(setter& set, const options& from, const std::vector<server_url>& urls) {
  const bool by_url = std::any_of(urls.begin(), urls.end(),
                                  [](const server_url& url) { return url.scheme == "tls"; });
  if (!from.tls.required && !by_url) return;
  set(natsOptions_SetSecure, true);
  set(natsOptions_SetExpectedHostname, expected_host(from, urls).c_str());
  if (!from.tls.ca_file.empty()) {
    set(natsOptions_LoadCATrustedCertificates, from.tls.ca_file.c_str());
  }
  if (!from.tls.certificate_file.empty()) {
    set(natsOptions_LoadCertificatesChain, from.tls.certificate_file.c_str(),
        from.tls.key_file.c_str());
  }
}

// A login in the urls precedes that of the options. If all servers have the same login, it is
// removed from the urls, so that no text of nats.c contains a password.
std::optional<login> take_login(const options& from, std::vector<server_url>& urls) {
  std::optional<login> shared;
  bool all_have = true;
  for (const server_url& each : urls) {
    if (!each.credentials) {
      all_have = false;
    } else if (shared && *shared != *each.credentials) {
      return std::nullopt;
    } else {
      shared = each.credentials;
    }
  }
  if (!all_have && !(from.user.empty() && from.token.empty())) return std::nullopt;
  for (server_url& each : urls) each.credentials.reset();
  return shared;
}

void set_login(setter& set, const login& with) {
  if (with.password) {
    set(natsOptions_SetUserInfo, escaped(with.user).c_str(), escaped(*with.password).c_str());
  } else {
    set(natsOptions_SetToken, escaped(with.user).c_str());
  }
}

void set_credentials(setter& set, const options& from, const std::optional<login>& by_urls) {
  if (by_urls) {
    set_login(set, *by_urls);
  } else {
    if (!from.token.empty()) set_login(set, {from.token});
    if (!from.user.empty()) set_login(set, {from.user, from.password});
  }
  if (!from.credentials_file.empty()) {
    set(natsOptions_SetUserCredentialsFromFiles, from.credentials_file.c_str(),
        static_cast<const char*>(nullptr));
  }
}

// One that cannot be written for a nats.c that does not decode.
bool needs_encoding(const server_url& url) {
  return url.credentials && url.credentials->user.find(':') != std::string::npos;
}

void set_servers(setter& set, const std::vector<server_url>& urls) {
  const bool decodes = nats_GetVersionNumber() >= first_that_decodes;
  std::vector<std::string> texts;
  texts.reserve(urls.size());
  for (const server_url& each : urls) {
    if (!decodes && needs_encoding(each)) {
      throw error(errc::bad_arguments, "the user for " + shown(each) + " has a ':', and " +
                                           "logins differ: nats.c must be 3.9 or later for that");
    }
    texts.push_back(written(each, decodes));
  }
  std::vector<const char*> servers;
  servers.reserve(texts.size());
  for (const std::string& each : texts) servers.push_back(each.c_str());
  set(natsOptions_SetServers, servers.data(), static_cast<int>(servers.size()));
}

}  // namespace

options_ptr to_nats(const options& from, bool in_bulk) {
  std::vector<server_url> urls = parse_urls(from.url);
  setter set(from);
  const std::optional<login> by_urls = take_login(from, urls);
  set_servers(set, urls);
  set(natsOptions_SetName, escaped(from.name).c_str());
  set_credentials(set, from, by_urls);
  set_tls(set, from, urls);
  set(natsOptions_SetTimeout, milliseconds(from.connect_timeout));
  set(natsOptions_SetAllowReconnect, from.max_reconnects != 0);
  set(natsOptions_SetMaxReconnect, from.max_reconnects);
  set(natsOptions_SetReconnectWait, milliseconds(from.reconnect_wait));
  const std::int64_t jitter = std::max<std::int64_t>(1, milliseconds(from.reconnect_wait) / 4);
  set(natsOptions_SetReconnectJitter, jitter, jitter);
  set(natsOptions_SetReconnectBufSize, 0);  // `connection` keeps messages, not nats.c
  // Each subscription sets its own. Of more than this, nats.c's bytes are too many for it.
  set(natsOptions_SetMaxPendingMsgs, std::clamp(from.pending_limit, 1, 1 << 20));
  // Each subscription has a thread, also where nats.c's environment variable says otherwise.
  set(natsOptions_UseGlobalMessageDelivery, false);
  // nats.c writes with its lock held: without this a peer that reads nothing blocks every call.
  set(natsOptions_SetWriteDeadline, std::int64_t{10'000});
  set(natsOptions_SetPingInterval, std::int64_t{20'000});  // a silent server is noticed in a minute
  if (in_bulk) {
    set(natsOptions_SetNoEcho, !from.echo);
  } else {
    set(natsOptions_SetSendAsap, true);
  }
  return set.take();
}

// --- Connections. --------------------------------------------------------------------------------

/// nats.c may call back after a connection has been destroyed, or for one that could not be made:
/// so it is given a number instead of a pointer, and its calls for numbers that are gone are
/// ignored. A connection is in the table until nats.c has said that it is closed.
class native_connection::callbacks {
 public:
  static std::uintptr_t add(const std::shared_ptr<native_connection>& added) {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    all.connections[++all.last] = added;
    return all.last;
  }
  static std::shared_ptr<native_connection> remove(std::uintptr_t number) noexcept {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    const auto found = all.connections.find(number);
    if (found == all.connections.end()) return nullptr;
    auto removed = std::move(found->second);
    all.connections.erase(found);
    return removed;
  }

  static natsStatus set(natsOptions* to, std::uintptr_t number) {
    void* const closure = std::bit_cast<void*>(number);
    natsStatus status = natsOptions_SetDisconnectedCB(to, disconnected, closure);
    if (status == NATS_OK) status = natsOptions_SetReconnectedCB(to, reconnected, closure);
    if (status == NATS_OK) status = natsOptions_SetClosedCB(to, closed, closure);
    if (status == NATS_OK) status = natsOptions_SetErrorHandler(to, failed, closure);
    return status;
  }

 private:
  struct connections_table {
    std::mutex mutex;
    std::uintptr_t last = 0;
    std::map<std::uintptr_t, std::shared_ptr<native_connection>> connections;
  };

  // Never destroyed: nats.c's threads may outlive the program's static objects.
  static connections_table& table() {
    static auto& all = *new connections_table;
    return all;
  }

  template <class F>
  static void tell(const std::shared_ptr<native_connection>& of, F f) noexcept {
    if (!of) return;
    if (const auto listener = of->listener_.lock()) f(*listener, *of);
  }
  static std::shared_ptr<native_connection> find(void* closure) noexcept {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    const auto found = all.connections.find(std::bit_cast<std::uintptr_t>(closure));
    return found == all.connections.end() ? nullptr : found->second;
  }

  static std::string reason(natsConnection* connection) {
    const char* text = nullptr;
    const natsStatus status = natsConnection_GetLastError(connection, &text);
    if (text && *text) return text;
    return status == NATS_OK ? std::string() : natsStatus_GetText(status);
  }

  static void disconnected(natsConnection* connection, void* closure) {
    tell(find(closure),
         [&](native_listener& to, native_connection& of) { to.lost(of, reason(connection)); });
  }
  static void reconnected(natsConnection* connection, void* closure) {
    char url[256] = "";
    natsConnection_GetConnectedUrl(connection, url, sizeof url);
    tell(find(closure),
         [&](native_listener& to, native_connection& of) { to.back(of, shown_as_written(url)); });
  }
  static void closed(natsConnection* connection, void* closure) {
    const char* text = nullptr;
    const natsStatus why = natsConnection_GetLastError(connection, &text);
    tell(remove(std::bit_cast<std::uintptr_t>(closure)),
         [&](native_listener& to, native_connection& of) {
           to.closed(of, why, reason(connection));
         });
  }
  // nats.c keeps no reference to the subscription until this is called: it may be gone, so it is
  // compared and not used.
  static void failed(natsConnection* connection, natsSubscription* subscription, natsStatus status,
                     void* closure) {
    tell(find(closure), [&](native_listener& to, native_connection& of) {
      if (status != NATS_SLOW_CONSUMER) {
        std::string text = natsStatus_GetText(status);
        const std::string more = reason(connection);
        if (!more.empty() && more != text) text += ": " + more;
        to.failed(std::move(text));
        return;
      }
      std::string subject;
      {
        const std::lock_guard lock(of.mutex_);
        const auto found = of.subjects_.find(subscription);
        if (found != of.subjects_.end()) subject = found->second;
      }
      to.slow(std::move(subject));
    });
  }
};

std::shared_ptr<native_connection> native_connection::connect(
    const options& options, bool in_bulk, std::weak_ptr<native_listener> listener) {
  const options_ptr with = to_nats(options, in_bulk);
  std::shared_ptr<native_connection> made(new native_connection);
  made->listener_ = std::move(listener);
  const std::uintptr_t number = callbacks::add(made);
  natsStatus status = callbacks::set(with.get(), number);
  if (status == NATS_OK) status = natsConnection_Connect(&made->connection_, with.get());
  if (status != NATS_OK) {
    (void)callbacks::remove(number);  // nats.c says nothing of a connection that it never had
    throw failure(status, "cannot connect to " + shown(options.url));
  }
  return made;
}

native_connection::~native_connection() {
  destroy(retired_);
  natsConnection_Destroy(connection_);
}

void native_connection::destroy(const std::vector<natsSubscription*>& ended) noexcept {
  for (natsSubscription* const each : ended) natsSubscription_Destroy(each);
}

bool native_connection::is_connected() const noexcept {
  return natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED;
}

bool native_connection::is_closed() const noexcept { return natsConnection_IsClosed(connection_); }

bool native_connection::is_refused() const noexcept {
  const char* text = nullptr;
  return is_closed() && natsConnection_GetLastError(connection_, &text) == NATS_ERR;
}

std::string native_connection::last_error() const {
  const char* text = nullptr;
  natsConnection_GetLastError(connection_, &text);
  return text ? text : "";
}

natsStatus native_connection::publish(const envelope& message, const std::string& reply_to) {
  if (message.headers.empty()) return publish(message.topic, reply_to, message.payload);
  message_with_headers made(message, reply_to);
  const natsStatus status = natsConnection_PublishMsg(connection_, made.get());
  message_ptr sent = made.without_them();
  const std::lock_guard lock(sent_mutex_);
  sent_.add(std::move(sent));
  return status;
}

natsStatus native_connection::publish(const std::string& subject, const std::string& reply_to,
                                      std::string_view text) noexcept {
  const int size = static_cast<int>(text.size());
  return reply_to.empty() ? natsConnection_Publish(connection_, subject.c_str(), text.data(), size)
                          : natsConnection_PublishRequest(connection_, subject.c_str(),
                                                          reply_to.c_str(), text.data(), size);
}

std::size_t native_connection::max_payload() const noexcept {
  return static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_));
}

natsStatus native_connection::subscribe(natsSubscription*& made, const std::string& subject,
                                        const std::string& group, natsMsgHandler handler,
                                        void* closure) {
  const natsStatus status =
      group.empty()
          ? natsConnection_Subscribe(&made, connection_, subject.c_str(), handler, closure)
          : natsConnection_QueueSubscribe(&made, connection_, subject.c_str(), group.c_str(),
                                          handler, closure);
  if (status == NATS_OK) {
    const std::lock_guard lock(mutex_);
    subjects_.emplace(made, subject);
  }
  return status;
}

std::size_t native_connection::retire(natsSubscription* ended) noexcept {
  const std::lock_guard lock(mutex_);
  subjects_.erase(ended);
  retired_.push_back(ended);
  return retired_.size();
}

// natsConnection_FlushTimeout says NATS_OK, and has waited for nothing, where the PING could not be
// written. But a write that fails sets the thread's last error: so a call that is refused sets
// another one first.
natsStatus native_connection::ping(std::int64_t milliseconds) noexcept {
  natsConnection_FlushTimeout(connection_, 0);
  natsStatus before = NATS_OK;
  (void)nats_GetLastError(&before);
  const natsStatus status = natsConnection_FlushTimeout(connection_, milliseconds);
  natsStatus after = NATS_OK;
  (void)nats_GetLastError(&after);
  return status == NATS_OK && after != before ? NATS_IO_ERROR : status;
}

natsStatus native_connection::flush(std::int64_t milliseconds) noexcept {
  std::vector<natsSubscription*> ended;  // before the PING is sent
  {
    const std::lock_guard lock(mutex_);
    ended.swap(retired_);
  }
  const natsStatus status = ping(milliseconds);
  if (status == NATS_OK) {
    destroy(ended);
  } else {
    const std::lock_guard lock(mutex_);
    retired_.insert(retired_.end(), ended.begin(), ended.end());
  }
  return status;
}

void native_connection::close() noexcept { natsConnection_Close(connection_); }

}  // namespace msgbus::nats
