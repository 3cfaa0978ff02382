#include "settings.hpp"

#include "status.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

namespace msgbus::nats {

namespace {

using std::chrono::milliseconds;

std::int64_t count(duration of) {
  return std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(of).count());
}

std::vector<std::string> urls_of(const std::string& url) {
  std::vector<std::string> all;
  for (std::string_view rest = url; !rest.empty();) {
    const auto comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (!one.empty()) all.emplace_back(one);
  }
  return all;
}

std::string host_of(const std::string& url) {
  std::string_view rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    rest.remove_prefix(scheme + 3);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (!rest.empty() && rest.front() == '[') return std::string(rest.substr(0, rest.find(']') + 1));
  return std::string(rest.substr(0, rest.find_first_of(":/")));
}

bool is_address(const std::string& host) {
  if (!host.empty() && host.front() == '[') return true;
  std::error_code no;
  asio::ip::make_address(host, no);
  return !no;
}

// nats.c checks no name unless it is told one, and knows names only, no addresses.
std::string expected_host(const options& from, const std::vector<std::string>& urls) {
  if (!from.tls.expected_host.empty()) return from.tls.expected_host;
  const std::string host = host_of(urls.front());
  const bool same = std::all_of(urls.begin(), urls.end(),
                                [&](const std::string& url) { return host_of(url) == host; });
  if (!same || is_address(host)) {
    throw error(errc::bad_arguments,
                "TLS to " + shown(from.url) +
                    ": name what the server's certificate must name (tls_options::expected_host)");
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

void set_tls(setter& set, const options& from, const std::vector<std::string>& urls) {
  const bool by_url = std::any_of(urls.begin(), urls.end(),
                                  [](const std::string& url) { return url.starts_with("tls://"); });
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

void set_credentials(setter& set, const options& from) {
  if (!from.token.empty()) set(natsOptions_SetToken, from.token.c_str());
  if (!from.user.empty()) {
    set(natsOptions_SetUserInfo, from.user.c_str(), from.password.c_str());
  }
  if (!from.credentials_file.empty()) {
    set(natsOptions_SetUserCredentialsFromFiles, from.credentials_file.c_str(),
        static_cast<const char*>(nullptr));
  }
}

}  // namespace

options_ptr to_nats(const options& from, bool in_bulk) {
  const std::vector<std::string> urls = urls_of(from.url);
  if (urls.empty()) throw error(errc::bad_arguments, "no url to connect to");
  std::vector<const char*> servers;
  servers.reserve(urls.size());
  for (const std::string& url : urls) servers.push_back(url.c_str());

  setter set(from);
  set(natsOptions_SetServers, servers.data(), static_cast<int>(servers.size()));
  set(natsOptions_SetName, from.name.c_str());
  set_credentials(set, from);
  set_tls(set, from, urls);
  set(natsOptions_SetTimeout, count(from.connect_timeout));
  set(natsOptions_SetAllowReconnect, from.max_reconnects != 0);
  set(natsOptions_SetMaxReconnect, from.max_reconnects);
  set(natsOptions_SetReconnectWait, count(from.reconnect_wait));
  const std::int64_t jitter = std::max<std::int64_t>(1, count(from.reconnect_wait) / 4);
  set(natsOptions_SetReconnectJitter, jitter, jitter);
  set(natsOptions_SetReconnectBufSize, 0);  // the link keeps messages, not nats.c
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
