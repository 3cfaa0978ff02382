#pragma once

// A collector of OpenTelemetry, as OTLP over HTTP reaches it.

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace msgbus::otlp {

/// The options, with a time to linger that is short enough to be added to other times.
template <class Options>
[[nodiscard]] Options limited(Options given) {
  using duration = decltype(given.linger);
  given.linger = std::min<duration>(given.linger, std::chrono::hours(24));
  return given;
}

/// How a collector is reached.
struct collector_options {
  std::string endpoint;  // a URL
  std::string path;      // such as `/v1/traces`
  std::vector<std::pair<std::string, std::string>> request_headers;
  std::chrono::steady_clock::duration timeout;  // of a request
  std::chrono::steady_clock::duration connect_timeout;
};

/// For one thread, except for `stop`.
class collector {
 public:
  enum class sent { accepted, refused, try_again };

  /// Throws `bad_arguments` if the endpoint is no URL.
  explicit collector(const collector_options& options);

  /// Sends a body, and waits for the answer, which is empty unless the body was accepted. Throws
  /// what httplib throws.
  [[nodiscard]] sent post(const std::string& body, std::string& answer);

  /// Gives up the request that is under way. For any thread.
  void stop() { client_.stop(); }

 private:
  const std::pair<std::string, std::string> url_;  // the host, and the rest
  httplib::Client client_;
  httplib::Headers headers_;
};

}  // namespace msgbus::otlp
