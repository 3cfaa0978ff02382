#pragma once

/// Reads the graph of components whenever it is asked.

#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/graph.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

/// Components of both families, hosts and bridges, whose graph is read when it is asked for, and
/// never in between (O4). One that was destroyed is left out.
///
///     msgbus::graph_source all(host);   // its members
///     all.add("orders", producer);      // which is in no host
///     std::cout << all.read();
///
/// Objects that a component is bound to are in the graph too, without a name unless they were
/// added. May outlive all of them. Thread-safe; no call waits for a handler.
class graph_source {
 public:
  /// Of nothing; see `add`.
  graph_source() = default;
  /// Of all members that the host has when it is asked.
  template <detail::described_by_itself Host>
  explicit graph_source(const Host& host) {
    add(std::string(), host);
  }
  graph_source(const graph_source&) = delete;
  graph_source& operator=(const graph_source&) = delete;

  /// Adds a component of either family, a producer, a publisher, a bridge or a host. A component
  /// in a host keeps the name that it has there.
  template <class Component>
  void add(std::string name, const Component& component) {
    static_assert(detail::described_by_itself<Component>,
                  "msgbus: a graph takes components of both families, bridges and hosts");
    if constexpr (detail::described_by_itself<Component>) {
      add(std::move(name), detail::describe_access::of(component));
    }
  }

  /// The graph as it is now.
  [[nodiscard]] graph read() const;

 private:
  void add(std::string name, detail::describer added);

  struct part {
    std::string name;
    detail::describer describe;
  };
  mutable std::mutex mutex_;
  std::vector<part> parts_;  // under the mutex
};

/// The graph of a host, or of one component.
template <detail::described_by_itself Object>
[[nodiscard]] graph graph_of(const Object& object) {
  return graph_source(object).read();
}

}  // namespace msgbus
