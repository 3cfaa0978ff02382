#include "top/address.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace msgbus::top {

namespace {

constexpr std::string_view here = "127.0.0.1";
constexpr int http_port = 80;

[[noreturn]] void refuse(std::string_view text, const char* reason) {
  throw std::invalid_argument("'" + std::string(text) + "' is no address of a monitor: " + reason);
}

int port_of(std::string_view digits, std::string_view text) {
  int port = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size() || port < 1 ||
      port > 65535) {
    refuse(text, "the port is a number from 1 to 65535");
  }
  return port;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string address::url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + path;
}

address read_address(std::string_view text) {
  const bool odd = std::ranges::any_of(text, [](char each) {
    return static_cast<unsigned char>(each) <= ' ' || static_cast<unsigned char>(each) >= 0x7f;
  });
  if (text.empty() || odd) refuse(text, "it has characters that no address has, or none");
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    refuse(text, "monitors speak http; reach one on another machine through a tunnel");
  }
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  address made;
  const auto slash = rest.find('/');
  made.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (made.path.back() != '/') made.path += '/';
  rest = rest.substr(0, slash);

  if (is_number(rest)) {
    made.port = port_of(rest, text);
    made.host = here;
    return made;
  }
  const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) refuse(text, "a bracket is not closed");
  const auto colon = rest.find(':', bracket);
  made.host = rest.substr(0, colon);
  if (bracket != 0) made.host = rest.substr(1, bracket - 1);
  if (made.host.empty()) made.host = here;
  made.port = colon == std::string_view::npos ? http_port : port_of(rest.substr(colon + 1), text);
  return made;
}

}  // namespace msgbus::top
