#include "monitor/access.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace msgbus::monitoring {

namespace {

char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

/// Without the port and the brackets of an IPv6 address; empty if it is no host.
std::string_view name_in(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_allowed_host(std::string_view host, const std::vector<std::string>& names) {
  const std::string_view name = name_in(host);
  if (name.empty()) return false;
  const std::string text(name);
  if (host.starts_with('[')) return is_address(AF_INET6, text);
  if (is_address(AF_INET, text) || is_same_name(name, "localhost")) return true;
  return std::ranges::any_of(names,
                             [&](const std::string& each) { return is_same_name(each, name); });
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  if (origin.empty()) return true;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return is_same_name(origin.substr(scheme.size()), host);
  }
  return false;
}

bool is_authorized(std::string_view header, std::string_view token) {
  constexpr std::string_view scheme = "bearer ";
  if (header.size() < scheme.size() || !is_same_name(header.substr(0, scheme.size()), scheme)) {
    return false;
  }
  const std::string_view given = trimmed(header.substr(scheme.size()));
  unsigned char differs = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = token.empty() ? '\0' : token[i % token.size()];
    differs = static_cast<unsigned char>(
        differs | (static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(expected)));
  }
  return differs == 0;
}

bool is_loopback(const std::string& address) {
  return is_same_name(address, "localhost") || address == "::1" ||
         (is_address(AF_INET, address) && address.starts_with("127."));
}

bool accepts(std::string_view header, std::string_view type) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view each = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    const std::size_t semicolon = each.find(';');
    if (!is_same_name(trimmed(each.substr(0, semicolon)), type)) continue;
    bool refused = false;
    while (semicolon != std::string_view::npos && !each.empty()) {
      const std::size_t next = each.find(';');
      if (next == std::string_view::npos) break;
      each.remove_prefix(next + 1);
      const std::string_view parameter = trimmed(each.substr(0, each.find(';')));
      refused = refused || parameter == "q=0" || parameter == "q=0.0";
    }
    return !refused;
  }
  return false;
}

}  // namespace msgbus::monitoring
