// Names of any bytes in every form of a graph: each form can be read again, and shows as many
// components and bindings as there are (O3).

#include <msgbus/graph.hpp>

#include "core/text.hpp"
#include "observe/graph_forms.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

void require(bool holds, const char* sentence, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s: '%.*s'\n", sentence, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

/// Where the text in quotes ends that begins at `at`; `npos` if it does not end.
std::size_t end_of_quoted(std::string_view text, std::size_t at, bool has_backslashes) {
  for (++at; at < text.size(); ++at) {
    if (has_backslashes && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

/// The text without what is in quotes.
std::string without_quoted(std::string_view text, bool has_backslashes) {
  std::string made;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '"') {
      made += text[at++];
      continue;
    }
    at = end_of_quoted(text, at, has_backslashes);
    require(at != std::string_view::npos, "a quoted text ends", text);
    made += '"';
  }
  return made;
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

/// Brackets that match, outside of texts.
bool is_balanced(std::string_view json) {
  std::string open;
  for (const char c : json) {
    if (c == '{' || c == '[') open += c == '{' ? '}' : ']';
    if (c == '}' || c == ']') {
      if (open.empty() || open.back() != c) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

/// A line of Mermaid that is a node or an arrow, with nothing else in it.
bool is_mermaid_line(std::string_view line) {
  const std::string bare = without_quoted(line, false);
  for (const std::string_view form :
       {"  c1([\"])", "  c2[\"]", "  c3[\"]", "  c1 --> c2", "  c1 -.->|\"| c3"}) {
    if (bare == form) return true;
  }
  return false;
}

/// In a label of Mermaid, each `#` begins `#123;`.
bool has_whole_codes(std::string_view text) {
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == at + 1 || end == text.size() || text[end] != ';') return false;
  }
  return true;
}

msgbus::graph graph_of(const std::string& one, const std::string& two, const std::string& three) {
  msgbus::graph all;
  all.components.resize(3);
  for (std::size_t i = 0; i < 3; ++i) all.components[i].id = 'c' + std::to_string(i + 1);
  all.components[0].kind = "producer";
  all.components[0].name = one;
  all.components[1].kind = "consumer";
  all.components[1].name = two;
  all.components[1].handlers.resize(1);
  msgbus::graph::handler& handler = all.components[1].handlers[0];
  handler.label = three;
  handler.attached_at = {one, 1};
  handler.policy = two;
  handler.patterns = {three, one};
  handler.dependencies.resize(1);
  handler.dependencies[0].name = three;
  handler.dependencies[0].overridden_by = two;
  handler.dependencies[0].overridden_at = {one, 2};
  all.components[2].kind = "link";
  all.components[2].name = three;
  all.components[2].detail = two;
  all.bindings = {{"c1", "c2", "", ""}, {"c1", "c3", "g1", "key"}};
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string all(reinterpret_cast<const char*>(data), size);
  const std::string second = all.substr(size / 3, size / 3);
  const std::string third = all.substr(2 * (size / 3));
  const msgbus::graph made = graph_of(all.substr(0, size / 3), second, third);
  using msgbus::graph_format;

  const std::string text = msgbus::describe(made);
  const auto lines_of_text = std::ranges::count(text, '\n');
  require(lines_of_text == (second.empty() ? 7 : 8), "a name adds no line to the text", text);

  const std::string json = msgbus::describe(made, graph_format::json);
  require(json.find('\n') == std::string::npos, "JSON is one line", json);
  require(msgbus::detail::find_not_utf8(json) == std::string::npos, "JSON is UTF-8", json);
  require(is_balanced(without_quoted(json, true)), "brackets of JSON match", json);
  require(count_of(without_quoted(json, true), "{") == 8, "JSON has its objects", json);

  const std::string dot = msgbus::describe(made, graph_format::dot);
  const std::string bare = without_quoted(dot, true);
  require(msgbus::detail::find_not_utf8(dot) == std::string::npos, "DOT is UTF-8", dot);
  require(count_of(bare, "shape=") == 3, "DOT has its nodes", dot);
  require(count_of(bare, "->") == 2, "DOT has its edges", dot);
  require(is_balanced(bare), "brackets of DOT match", dot);

  const std::string mermaid = msgbus::describe(made, graph_format::mermaid);
  require(mermaid.starts_with("flowchart LR\n"), "Mermaid begins with its kind", mermaid);
  std::string_view lines = mermaid;
  lines.remove_prefix(std::string_view("flowchart LR\n").size());
  std::size_t count = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    require(end != std::string_view::npos, "a line of Mermaid ends", mermaid);
    require(is_mermaid_line(lines.substr(0, end)), "a line of Mermaid is a node or an arrow",
            lines.substr(0, end));
    lines.remove_prefix(end + 1);
    ++count;
  }
  require(count == 5, "Mermaid has its nodes and arrows", mermaid);
  require(has_whole_codes(mermaid), "codes of Mermaid are whole", mermaid);

  msgbus::graph bridged = made;
  bridged.components[0].kind = "bridge";
  bridged.components[0].servers = {third};
  bridged.components[2].channels = {
      {.topic = third, .sends = true, .messages = {{second, second}}},
      {.topic = second, .calls = true, .messages = {{third}}, .replies = {{second}}}};
  const std::string document = msgbus::describe(bridged, graph_format::asyncapi);
  const std::string keys = without_quoted(document, true);
  require(document.find('\n') == std::string::npos, "a document is one line", document);
  require(msgbus::detail::find_not_utf8(document) == std::string::npos, "a document is UTF-8",
          document);
  require(is_balanced(keys), "brackets of a document match", document);
  return 0;
}
