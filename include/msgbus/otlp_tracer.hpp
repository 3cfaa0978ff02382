#pragma once

/// Sends spans to a collector of OpenTelemetry, such as Jaeger. Target `msgbus::otlp`.

#include <msgbus/tracer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

/// The options of an `otlp_tracer`.
struct otlp_options {
  using duration = std::chrono::steady_clock::duration;

  /// The collector: spans go to `<endpoint>/v1/traces`.
  std::string endpoint = "http://localhost:4318";
  std::string service = "unknown_service";  ///< the name of the program: `service.name`
  std::vector<attribute> resource = {};     ///< further properties of the program
  /// Headers of each request, such as `authorization`.
  std::vector<std::pair<std::string, std::string>> request_headers = {};
  /// Which spans are recorded.
  sampler sampling = sampler::parent_based(sampler::always());
  std::size_t capacity = 2048;                  ///< waiting spans; further ones are dropped
  std::size_t batch = 512;                      ///< the most spans in one request
  duration delay = std::chrono::seconds(5);     ///< the longest wait of a span for others
  duration timeout = std::chrono::seconds(10);  ///< of a request
  duration linger = std::chrono::seconds(1);    ///< the longest wait of the destructor
};

/// The outcomes of the spans of an `otlp_tracer`. The first four never decrease.
struct otlp_counters {
  std::uint64_t ended = 0;     ///< spans that it got
  std::uint64_t exported = 0;  ///< of these, those that the collector has accepted
  /// Lost spans: too many waited, the collector refused them, or the tracer was destroyed.
  std::uint64_t dropped = 0;
  std::uint64_t failures = 0;  ///< failed requests; some are repeated
  std::size_t waiting = 0;     ///< spans that are not settled yet
};
/// Writes the members.
std::ostream& operator<<(std::ostream& out, const otlp_counters& value);

/// Exports spans by OTLP over HTTP, as JSON, on a thread of its own. No handler waits for it: if
/// too many spans wait, further ones are dropped and counted.
///
///     auto spans = std::make_shared<msgbus::otlp_tracer>(msgbus::otlp_options{.service = "shop"});
///     all.trace(spans);  // a host
///
/// A request is repeated after a temporary failure: no connection, no reply in time, or status 429,
/// 502, 503 or 504. The pauses grow from 100 ms to `delay`. Thread-safe.
class otlp_tracer final : public tracer {
 public:
  /// Throws: `bad_arguments` for an endpoint that is no URL, with a scheme that is not supported,
  /// or a capacity of zero.
  explicit otlp_tracer(otlp_options options);
  /// Waits for at most `linger`, and drops the remaining spans. A running request is given up; an
  /// unfinished connection attempt may take as long again.
  ~otlp_tracer() override;

  void ended(const span_data& span) override;

  /// Sends the waiting spans. It blocks, so do not call it in a handler.
  ///
  /// Completes: when all earlier spans are exported or dropped, with true; after `timeout`, with
  /// false.
  bool flush(std::chrono::steady_clock::duration timeout);

  /// The figures so far.
  [[nodiscard]] otlp_counters stats() const;

 private:
  class exporter;
  const std::unique_ptr<exporter> exporter_;
};

}  // namespace msgbus
