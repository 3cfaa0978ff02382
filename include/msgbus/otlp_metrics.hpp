#pragma once

/// Sends metrics to a collector of OpenTelemetry. Target `msgbus::otlp`.

#include <msgbus/metric_data.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

/// The options of `otlp_metrics`.
struct otlp_metrics_options {
  using duration = std::chrono::steady_clock::duration;

  /// The collector: metrics go to `<endpoint>/v1/metrics`.
  std::string endpoint = "http://localhost:4318";
  std::string service = "unknown_service";  ///< the name of the program: `service.name`
  std::vector<attribute> resource = {};     ///< further properties of the program
  /// Headers of each request, such as `authorization`.
  std::vector<std::pair<std::string, std::string>> request_headers = {};
  duration period = std::chrono::seconds(60);   ///< between two requests
  duration timeout = std::chrono::seconds(10);  ///< of a request
  duration linger = std::chrono::seconds(1);    ///< how long the destructor waits for the last one
};

/// What has become of the requests of an `otlp_metrics`.
struct otlp_metrics_counters {
  std::uint64_t exported = 0;  ///< requests that the collector has accepted
  std::uint64_t failures = 0;  ///< requests that it has not
  std::uint64_t refused = 0;   ///< data points that it has refused in requests that it accepted
};
/// Writes the counters by name.
std::ostream& operator<<(std::ostream& out, const otlp_metrics_counters& value);

/// Reads metrics in each period, and sends them with OTLP over HTTP, as JSON. On a thread of its
/// own: no handler waits for it (O1). Nothing is queued: a request that fails is not repeated,
/// since the next one has its counts, too. Thread-safe.
///
///     msgbus::metrics figures(host);
///     msgbus::otlp_metrics sent(figures, options);
class otlp_metrics {
 public:
  using duration = std::chrono::steady_clock::duration;
  /// Called on the thread of the object.
  using source = std::function<std::vector<metric_data>()>;

  /// Throws: `bad_arguments` if the endpoint is no URL, the period is not positive, or there is no
  /// source.
  explicit otlp_metrics(source from, otlp_metrics_options options = {});
  /// Of a `metrics`, which must outlive it.
  template <class Metrics>
    requires requires(const Metrics& from) {
      { from.collect() } -> std::same_as<std::vector<metric_data>>;
    }
  explicit otlp_metrics(const Metrics& from, otlp_metrics_options options = {})
      : otlp_metrics(source([&from] { return from.collect(); }), std::move(options)) {}
  otlp_metrics(const otlp_metrics&) = delete;
  otlp_metrics& operator=(const otlp_metrics&) = delete;
  /// Sends the metrics a last time, and waits for that as long as `linger`.
  ~otlp_metrics();

  /// Sends the metrics now.
  ///
  /// Completes: blocks until the collector has accepted them: true; false if it has not, or at the
  /// timeout.
  bool flush(duration timeout);

  /// What it has done so far.
  [[nodiscard]] otlp_metrics_counters stats() const;

 private:
  class exporter;
  const std::unique_ptr<exporter> exporter_;
};

}  // namespace msgbus
