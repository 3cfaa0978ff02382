#include "durable/header_lines.hpp"

#include <msgbus/transport/envelope.hpp>

#include <algorithm>

namespace msgbus::durable::detail {

std::string lines_of(const headers& all) {
  std::string lines;
  for (const auto& [name, text] : all) {
    if (name == header::message_id || name == header::type) continue;
    lines.append(name).append(": ").append(text).append("\n");
  }
  return lines;
}

headers headers_of(std::string_view lines) {
  headers all;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    all.add(line.substr(0, colon), line.substr(colon + 2));
  }
  return all;
}

}  // namespace msgbus::durable::detail
