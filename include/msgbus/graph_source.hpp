#pragma once

/// Reads the current graph of a set of components.

#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/graph.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace msgbus {

/// A collection of components of both families, hosts and bridges. Their graph is read by `read`,
/// and at no other time (O4). A destroyed component is left out.
///
///     msgbus::graph_source all(host);   // its members
///     all.add("orders", producer);      // which is in no host
///     std::cout << all.read();
///
/// Objects that a component is bound to are in the graph too, without a name unless they were
/// added. May outlive all of them. Thread-safe; no call waits for a handler.
class graph_source {
 public:
  /// An empty collection; see `add`.
  graph_source() = default;
  /// All members that the host has at the time of `read`.
  template <detail::described_by_itself Host>
  explicit graph_source(const Host& host) {
    add(std::string(), host);
  }
  graph_source(const graph_source&) = delete;
  graph_source& operator=(const graph_source&) = delete;

  /// Adds a component of either family, a producer, a publisher, a bridge or a host. A component in
  /// a host keeps the name that it has there.
  template <class Component>
  void add(std::string name, const Component& component) {
    static_assert(detail::described_by_itself<Component>,
                  "msgbus: a graph takes components of both families, bridges and hosts");
    if constexpr (detail::described_by_itself<Component>) {
      add(std::move(name), detail::describe_access::of(component));
    }
  }

  /// The current graph.
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
