#include "native.hpp"
#include "times.hpp"
#include "urls.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace msgbus::nats {

namespace {

// Of nats.c: the first version that decodes what urls have percent-encoded.
constexpr std::uint32_t first_that_decodes = 0x030900;

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

}  // namespace msgbus::nats
