#include "otlp/collector.hpp"

#include <msgbus/error.hpp>

namespace msgbus::otlp {

namespace {

/// `http://host:port/prefix` in its two parts. Throws `bad_arguments`.
std::pair<std::string, std::string> split(const std::string& url, const std::string& path) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  std::string prefix = slash == std::string::npos ? std::string() : url.substr(slash);
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  std::string host = url.substr(0, slash);
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
  const bool is_known = host.starts_with("http://") || host.starts_with("https://");
#else
  const bool is_known = host.starts_with("http://");
#endif
  if (!is_known || host.ends_with("://") || !httplib::Client(host).is_valid()) {
    throw error(errc::bad_arguments, "'" + url +
                                         "' is no endpoint of a collector; it is a URL such as "
                                         "http://localhost:4318");
  }
  return {std::move(host), prefix + path};
}

bool may_pass(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

collector::collector(const collector_options& options)
    : url_(split(options.endpoint, options.path)), client_(url_.first) {
  client_.set_connection_timeout(options.connect_timeout);
  client_.set_read_timeout(options.timeout);
  client_.set_write_timeout(options.timeout);
  client_.set_keep_alive(true);
  client_.set_tcp_nodelay(true);
  for (const auto& [name, value] : options.request_headers) headers_.emplace(name, value);
}

collector::sent collector::post(const std::string& body, std::string& answer) {
  const httplib::Result got = client_.Post(url_.second, headers_, body, "application/json");
  if (!got || may_pass(got->status)) return sent::try_again;
  if (got->status < 200 || got->status > 299) return sent::refused;
  answer = got->body;
  return sent::accepted;
}

}  // namespace msgbus::otlp
