#pragma once

/// The figures of components as text, for Prometheus and other collectors.

#include <msgbus/async/host.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/detail/async/host_member.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

/// Reads the figures of components, bridges and circuit breakers when it is asked, and never in
/// between: messages cost the same with it as without it (O4). A component that was destroyed is
/// left out, as soon as none of its work is left in its context.
///
///     msgbus::metrics figures(all);           // of a host
///     std::string body = figures.prometheus();  // answers a GET of /metrics
///
/// May outlive the host. Thread-safe; no call waits for a handler.
class metrics {
 public:
  /// Of components without a host; see `add`.
  metrics() = default;
  /// Of all members that the host has when it is asked.
  explicit metrics(const async::host& host) : of_host_(async::detail::host_access::members(host)) {}

  /// Adds an async consumer, subscriber or service, or a bridge, which has no host.
  ///
  /// Throws: `bad_arguments` if the name is empty or was added already.
  template <class Component>
  void add(std::string name, Component& component) {
    add(async::detail::make_member(std::move(name), component));
  }

  /// Adds a circuit breaker, under its name.
  ///
  /// Throws: `bad_arguments` if it is null, or its name is empty or was added already.
  void add(std::shared_ptr<const circuit_breaker> breaker);

  /// The text format 0.0.4 of Prometheus, for `Content-Type: text/plain; version=0.0.4`.
  [[nodiscard]] std::string prometheus() const;
  /// OpenMetrics 1.0, for `Content-Type: application/openmetrics-text; version=1.0.0`.
  [[nodiscard]] std::string openmetrics() const;
  /// One JSON object with the members `components`, `breakers` and `links`.
  [[nodiscard]] std::string json() const;

 private:
  using member = std::shared_ptr<async::detail::host_member>;

  void add(member added);
  [[nodiscard]] std::vector<member> all() const;
  [[nodiscard]] std::vector<std::shared_ptr<const circuit_breaker>> breakers() const;

  const std::function<std::vector<member>()> of_host_ = {};
  mutable std::mutex mutex_;
  std::vector<member> added_;                                     // under the mutex
  std::vector<std::shared_ptr<const circuit_breaker>> breakers_;  // under the mutex
};

}  // namespace msgbus
