// The forms that tools draw: Graphviz and Mermaid.

#include "core/text.hpp"
#include "observe/graph_forms.hpp"

#include <cstdint>
#include <utility>

namespace msgbus::detail {

namespace {

/// The name in one line, without control characters.
std::string line_of(std::string_view name) { return escaped(name); }

/// Whether messages may get lost here: nothing is bound, or nothing takes them.
bool is_dead_end(const graph& all, const graph::component& of) {
  if (of.kind == "consumer" || of.kind == "subscriber" || of.kind == "service") {
    return of.handlers.empty();
  }
  if (of.kind != "producer" && of.kind != "publisher") return false;
  for (const graph::binding& each : all.bindings) {
    if (each.from == of.id) return false;
  }
  return true;
}

bool is_sender(const graph::component& of) {
  return of.kind == "producer" || of.kind == "publisher";
}

constexpr const char* word_joiner = "#8288;";  // nobody sees it

/// Whether Mermaid gives these neighbours a meaning even if they are escaped: a line break, an
/// icon, mathematics, or escapes of its own. `rest` is what comes after them.
bool joins_escaped(std::uint32_t before, std::uint32_t code, std::string_view rest) {
  return (before == '\\' && code == 'n') ||
         (before == ':' && code == 'f' && rest.starts_with("a-")) ||
         (before == '$' && code == '$') || (before == 0xfb02 && code == 0xb0) ||
         (before == 0xb6 && code == 0xdf);
}

/// The code point at the beginning of a valid text, which it leaves.
std::uint32_t next_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
  };
  const std::uint32_t first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  std::uint32_t code = size == 1 ? first : first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) code = code << 6U | (byte(i) & 0x3fU);
  text.remove_prefix(size);
  return code;
}

}  // namespace

std::string_view file_name(std::string_view path) noexcept {
  const std::size_t at = path.find_last_of("/\\");
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

std::string drawn_label(const graph::component& of) {
  std::string label = line_of(of.label());
  if (!of.executor.empty()) label += '\n' + of.executor;
  if (of.capacity != 0) {
    label += "\nmailbox " + std::to_string(of.capacity) + ", " + of.on_full;
    if (of.concurrency > 1) label += ", " + std::to_string(of.concurrency) + " at once";
  }
  if (of.closed) label += "\nclosed";
  if (!of.detail.empty()) label += '\n' + line_of(of.detail);
  for (const graph::handler& each : of.handlers) {
    label += '\n' + line_of(each.label);
    if (!each.attached_at.file.empty()) {
      label += " (" + line_of(file_name(each.attached_at.file)) + ':' +
               std::to_string(each.attached_at.line) + ')';
    }
  }
  return label;
}

std::string drawn_label(const graph::binding& of) {
  return of.group.empty() ? std::string() : "one of " + of.group + ", " + of.pick;
}

std::string dot_string(std::string_view text) {
  std::string made = "\"";
  for (const char c : to_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      made += "\\n";
    } else if (c == '"' || c == '\\') {
      made += '\\';
      made += c;
    } else if (c == '&') {
      made += "&amp;";  // Graphviz reads entities in labels
    } else if (byte < 0x20 || byte == 0x7f) {
      made += ' ';
    } else {
      made += c;
    }
  }
  return made + '"';
}

std::string mermaid_string(std::string_view text) {
  std::string made = "\"";
  const std::string valid = to_utf8(text);
  std::uint32_t before = 0;
  for (std::string_view rest = valid; !rest.empty();) {
    const std::uint32_t code = next_code_point(rest);
    if (joins_escaped(std::exchange(before, code), code, rest)) made += word_joiner;
    const bool is_letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
                           (code >= '0' && code <= '9');
    if (code == '\n') {
      made += "<br/>";
    } else if (is_letter || code == ' ' || code == '.' || code == ',' || code == '-' ||
               code == '_') {
      made += static_cast<char>(code);
    } else if (code < 0x20 || code == 0x7f) {
      made += ' ';
    } else {
      made += '#' + std::to_string(code) + ';';
    }
  }
  return made + '"';
}

std::string graph_dot(const graph& all) {
  std::string made =
      "digraph msgbus {\n"
      "  rankdir=LR;\n"
      "  node [fontname=\"sans-serif\", fontsize=11];\n"
      "  edge [fontname=\"sans-serif\", fontsize=9];\n";
  for (const graph::component& each : all.components) {
    made += "  " + dot_string(each.id) + " [shape=" + (is_sender(each) ? "ellipse" : "box") +
            ", label=" + dot_string(drawn_label(each));
    if (is_dead_end(all, each) || each.closed) made += ", style=dashed";
    made += "];\n";
  }
  for (const graph::binding& each : all.bindings) {
    made += "  " + dot_string(each.from) + " -> " + dot_string(each.to);
    const std::string label = drawn_label(each);
    if (!label.empty()) made += " [label=" + dot_string(label) + ", style=dotted]";
    made += ";\n";
  }
  return made + "}\n";
}

std::string graph_mermaid(const graph& all) {
  std::string made = "flowchart LR\n";
  for (const graph::component& each : all.components) {
    made += "  " + each.id + (is_sender(each) ? "([" : "[") + mermaid_string(drawn_label(each)) +
            (is_sender(each) ? "])" : "]") + '\n';
  }
  for (const graph::binding& each : all.bindings) {
    const std::string label = drawn_label(each);
    made += "  " + each.from + (label.empty() ? " --> " : " -.->|" + mermaid_string(label) + "| ") +
            each.to + '\n';
  }
  return made;
}

}  // namespace msgbus::detail
