#pragma once

/// The figures of components as text, for Prometheus and other collectors.

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/counters.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/metric_data.hpp>
#include <msgbus/rate_limit.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

/// The options of `metrics`.
struct metrics_options {
  /// Whether the times of messages are measured: the wait in the mailbox, and the run of each
  /// handler. That costs two reads of the clock per message. Without it, a message costs the same
  /// as without metrics.
  bool times = true;
  std::uint32_t sample = 1;  ///< one message in this number is measured, at random
};

/// Reads the figures of components, bridges and circuit breakers on request. Components keep their
/// counts anyway. Times are measured only while a `metrics` object wants them (O4). A destroyed
/// component is left out once its context has none of its work left.
///
///     msgbus::metrics figures(all);           // of a host
///     std::string body = figures.prometheus();  // answers a GET of /metrics
///
/// May outlive the host. Thread-safe. No call waits for a handler, and no handler waits for a call
/// (O1). Counts and histograms never decrease during its lifetime (O2).
class metrics {
 public:
  /// Starts with no component; see `add`.
  metrics() = default;
  explicit metrics(metrics_options options) : options_(options) {}
  /// Reads all members that the host has at the time of the call. The times of a later member are
  /// measured from the next call on.
  explicit metrics(const async::host& host, metrics_options options = {});
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;
  ~metrics();

  /// Adds an async consumer, subscriber or service, a bridge or a durable database, which has no
  /// host.
  ///
  /// Throws: `bad_arguments` if the name is empty or was added already.
  template <class Component>
    requires(!std::convertible_to<Component&, std::shared_ptr<const rate_limiter>> &&
             !std::convertible_to<Component&, std::shared_ptr<const async::dead_letters>> &&
             !std::convertible_to<Component&, std::shared_ptr<const counting_observer>>)
  void add(std::string name, Component& component) {
    add(async::detail::make_member(std::move(name), component));
  }

  /// Adds a rate limiter that handlers share, a store of dead letters, or an observer that counts:
  /// that of components of the sync family, which have no counts of their own (D7).
  ///
  /// Throws: `bad_arguments` if it is null, or the name is empty or was added already.
  void add(std::string name, std::shared_ptr<const rate_limiter> limiter);
  void add(std::string name, std::shared_ptr<const async::dead_letters> letters);
  void add(std::string name, std::shared_ptr<const counting_observer> observer);

  /// Adds a circuit breaker, under its name.
  ///
  /// Throws: `bad_arguments` if it is null, or its name is empty or was added already.
  void add(std::shared_ptr<const circuit_breaker> breaker);

  /// The text format 0.0.4 of Prometheus, for `Content-Type: text/plain; version=0.0.4`.
  [[nodiscard]] std::string prometheus() const;
  /// OpenMetrics 1.0, for `Content-Type: application/openmetrics-text; version=1.0.0`.
  [[nodiscard]] std::string openmetrics() const;
  /// One JSON object with the members `components`, `breakers`, `links`, `limiters`,
  /// `dead_letters`, and `databases` and `observers` if there are any.
  [[nodiscard]] std::string json() const;
  /// As OpenTelemetry names them, for an `otlp_metrics` or an exporter of yours.
  [[nodiscard]] std::vector<metric_data> collect() const;

 private:
  using member = std::shared_ptr<async::detail::host_member>;
  using measured = std::shared_ptr<const async::detail::measured_times>;
  template <class T>
  using named = std::vector<std::pair<std::string, std::shared_ptr<const T>>>;
  struct figures;
  struct watched {
    member of;
    measured times;                          // null: it has none, or they are not wanted
    std::shared_ptr<const void> operations;  // the same
  };

  void add(member added);
  [[nodiscard]] watched& watched_locked(const member& of) const;
  [[nodiscard]] figures read() const;
  [[nodiscard]] std::vector<member> all_locked() const;

  const metrics_options options_ = {};
  const std::function<std::vector<member>()> of_host_ = {};
  mutable std::mutex mutex_;
  // Under the mutex.
  std::vector<member> added_;
  std::vector<std::shared_ptr<const circuit_breaker>> breakers_;
  named<rate_limiter> limiters_;
  named<async::dead_letters> letters_;
  named<counting_observer> observers_;
  mutable std::vector<watched> watched_;
};

}  // namespace msgbus
