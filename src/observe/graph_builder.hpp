#pragma once

/// Collects a graph from components, each of which describes itself and names the objects that it
/// is joined to.

#include <msgbus/graph.hpp>
#include <msgbus/registered_at.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::detail {

/// Objects are known by their addresses, while the graph is made. For one thread.
class graph_builder {
 public:
  /// The component of the object, which is made when it is first mentioned. Valid until the next
  /// call. The first name, kind and family that are given count.
  graph::component& component(const void* object, std::string_view kind,
                              std::string_view family = {});

  /// Whether the object was described: the second call for it returns false.
  [[nodiscard]] bool describe(const void* object);

  /// Joins two objects that are mentioned already. A repeated call has no effect. `group` is the
  /// object of a group, or null.
  void bind(const void* from, const void* to, const void* group = nullptr,
            std::string_view pick = {}, graph::place line = {});

  /// `io_context 1`: contexts of a kind are numbered in the order of their first mention.
  [[nodiscard]] std::string numbered(std::string_view kind, const void* context);

  [[nodiscard]] graph take() { return std::move(made_); }

 private:
  struct mention {
    const void* object;
    std::size_t index;  // of its component
    bool described = false;
  };
  struct context {
    std::string kind;
    const void* address;
    std::size_t number;
  };

  [[nodiscard]] mention* find(const void* object) noexcept;

  graph made_;
  std::vector<mention> mentions_;
  std::vector<context> contexts_;
  std::vector<const void*> groups_;
};

[[nodiscard]] graph::place place_of(const registered_at& line);

}  // namespace msgbus::detail
