#pragma once

/// The forms of a graph. Pure. Each escapes the names as its format demands (O3).

#include <msgbus/graph.hpp>

#include <string>
#include <string_view>

namespace msgbus::detail {

[[nodiscard]] std::string graph_text(const graph& all);
[[nodiscard]] std::string graph_json(const graph& all);
[[nodiscard]] std::string graph_dot(const graph& all);
[[nodiscard]] std::string graph_mermaid(const graph& all);
[[nodiscard]] std::string graph_asyncapi(const graph& all);

/// The text as a string of the DOT language, in quotes. A line break is a new line in the drawing.
[[nodiscard]] std::string dot_string(std::string_view text);
/// The text as a label of Mermaid, in quotes. A line break is a new line in the drawing.
[[nodiscard]] std::string mermaid_string(std::string_view text);

/// The lines of a component in a drawing: its kind and name, then a line for each handler.
[[nodiscard]] std::string drawn_label(const graph::component& of);
/// The label of an arrow; often empty.
[[nodiscard]] std::string drawn_label(const graph::binding& of);

/// The last part of a path.
[[nodiscard]] std::string_view file_name(std::string_view path) noexcept;

}  // namespace msgbus::detail
