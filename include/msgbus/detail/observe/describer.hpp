#pragma once

/// Describes a component for a graph. Declarations only: code that describes includes
/// graph_builder.hpp.

#include <msgbus/detail/core/config.hpp>

#include <functional>
#include <string_view>

namespace msgbus {

struct graph;

namespace component {
struct described_handler;
}  // namespace component

namespace detail {

class graph_builder;

/// Describes an object under a name, if it exists. May outlive the object.
using describer = std::function<void(graph_builder& to, std::string_view name)>;

/// For the library: the describer of a component, host or bridge.
struct describe_access {
  template <class T>
  [[nodiscard]] static auto of(const T& object) -> decltype(object.describer()) {
    return object.describer();
  }
  /// What the graph knows the object by, while it exists.
  template <class T>
  [[nodiscard]] static auto identity(const T& object) -> decltype(object.identity()) {
    return object.identity();
  }
};

template <class T>
concept described_by_itself = requires(const T& object) { describe_access::of(object); };

}  // namespace detail

}  // namespace msgbus
