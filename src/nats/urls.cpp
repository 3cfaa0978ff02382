#include "urls.hpp"

#include <msgbus/error.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::nats {

namespace {

using text = std::string_view;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool is_of_host(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || (c & '\x80') != 0;
}
bool is_of_address(char c) {
  return is_letter(c) || is_digit(c) || c == ':' || c == '.' || c == '%';
}

text trimmed(text of) {
  while (!of.empty() && is_blank(of.front())) of.remove_prefix(1);
  while (!of.empty() && is_blank(of.back())) of.remove_suffix(1);
  return of;
}

// The length of `scheme://` at the beginning; 0 if there is none.
std::size_t scheme_at(text of) {
  const auto end = of.find("://");
  if (end == text::npos || end == 0 || !is_letter(of.front())) return 0;
  const bool is_one = std::ranges::all_of(of.substr(0, end), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
  return is_one ? end + 3 : 0;
}

// Where the next url with a scheme begins: behind a comma.
std::size_t next_scheme(text of) {
  for (auto comma = of.find(','); comma != text::npos; comma = of.find(',', comma + 1)) {
    if (scheme_at(trimmed(of.substr(comma + 1))) != 0) return comma;
  }
  return text::npos;
}

int digit_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A '%' that begins no code stands for itself.
std::string decoded(text of) {
  std::string result;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const int high = of[i] == '%' && i + 2 < of.size() ? digit_of(of[i + 1]) : -1;
    const int low = high < 0 ? -1 : digit_of(of[i + 2]);
    if (low < 0) {
      result += of[i];
    } else {
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

std::string encoded(text of) {
  constexpr text digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : of) {
    if (is_unreserved(c)) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

std::optional<login> login_in(text of) {
  if (of.empty()) return std::nullopt;
  const auto colon = of.find(':');
  login made{decoded(of.substr(0, colon))};
  if (colon != text::npos && colon + 1 < of.size()) made.password = decoded(of.substr(colon + 1));
  return made;
}

// The defect of a url; empty if it is valid.
text read_server(text of, server_url& into) {
  if (of.starts_with('[')) {
    const auto end = of.find(']');
    if (end == text::npos || !std::ranges::all_of(of.substr(1, end - 1), is_of_address)) {
      return "the text in its brackets is no address";
    }
    into.host = of.substr(0, end + 1);
    of.remove_prefix(end + 1);
  } else {
    const auto size = std::ranges::find_if_not(of, is_of_host) - of.begin();
    into.host = of.substr(0, static_cast<std::size_t>(size));
    of.remove_prefix(into.host.size());
  }
  if (of.ends_with('/')) of.remove_suffix(1);
  if (of.empty() || of == ":") return {};
  if (!of.starts_with(':')) return "its host has characters that are not allowed in one";
  of.remove_prefix(1);
  if (of.size() > 5 || !std::ranges::all_of(of, is_digit)) return "its port is no number";
  into.port = of;
  return {};
}

text wrong_with(const server_url& url) {
  if (!url.credentials) return {};
  const login& with = *url.credentials;
  return with.user.empty() ? "it has a password, and no user" : text();
}

struct reading {
  server_url url;
  text wrong;
};

// All that have one scheme. Of these only the first one has credentials: whatever is before the
// last '@', which no host has.
void read_group(text of, std::vector<reading>& to) {
  reading first;
  const std::size_t scheme = scheme_at(of);
  if (scheme != 0) first.url.scheme = of.substr(0, scheme - 3);
  of.remove_prefix(scheme);
  if (const auto at = of.rfind('@'); at != text::npos) {
    first.url.credentials = login_in(of.substr(0, at));
    of.remove_prefix(at + 1);
  }
  bool is_first = true;
  for (bool more = true; more;) {
    const auto comma = of.find(',');
    const text one = trimmed(of.substr(0, comma));
    more = comma != text::npos;
    if (more) of.remove_prefix(comma + 1);
    reading each = std::exchange(is_first, false) ? first : reading{};
    if (one.empty() && each.url.scheme.empty() && !each.url.credentials) continue;
    each.wrong = read_server(one, each.url);
    if (each.wrong.empty()) each.wrong = wrong_with(each.url);
    to.push_back(std::move(each));
  }
}

std::vector<reading> read(text list) {
  std::vector<reading> all;
  for (bool more = true; more;) {
    const auto comma = next_scheme(list);
    more = comma != text::npos;
    read_group(trimmed(list.substr(0, comma)), all);
    if (more) list.remove_prefix(comma + 1);
  }
  return all;
}

}  // namespace

std::vector<server_url> parse_urls(std::string_view list) {
  std::vector<server_url> urls;
  std::vector<reading> all = read(list);
  for (reading& each : all) {
    if (!each.wrong.empty()) {
      throw error(errc::bad_arguments, "url " + std::to_string(urls.size() + 1) + " of " +
                                           std::to_string(all.size()) +
                                           " cannot be read: " + std::string(each.wrong));
    }
    urls.push_back(std::move(each.url));
  }
  if (urls.empty()) throw error(errc::bad_arguments, "no url to connect to");
  return urls;
}

std::string shown(const server_url& url) {
  std::string result = url.scheme;
  if (!result.empty()) result += "://";
  result += url.host;
  if (!url.port.empty()) result += ':' + url.port;
  return result;
}

std::string shown(std::string_view list) {
  std::string result;
  for (const reading& each : read(list)) {
    if (!result.empty()) result += ", ";
    result += each.wrong.empty() ? shown(each.url) : "a url that cannot be read";
  }
  return result;
}

std::string shown_as_written(std::string_view url) {
  const auto at = url.rfind('@');
  if (at == text::npos) return shown(url);
  server_url server;
  const std::size_t scheme = scheme_at(url);
  if (scheme != 0) server.scheme = url.substr(0, scheme - 3);
  const text wrong = read_server(url.substr(at + 1), server);
  return wrong.empty() ? shown(server) : "a url that cannot be read";
}

std::string written(const server_url& url, bool encode) {
  std::string result = (url.scheme.empty() ? "nats" : url.scheme) + "://";
  if (url.credentials) {
    const auto part = [&](text of) {
      const std::string in_json = escaped(of);
      return encode ? encoded(in_json) : in_json;
    };
    result += part(url.credentials->user);
    if (url.credentials->password) result += ':' + part(*url.credentials->password);
    result += '@';
  }
  result += url.host;
  if (!url.port.empty()) result += ':' + url.port;
  return result;
}

std::string escaped(std::string_view of) {
  constexpr text digits = "0123456789abcdef";
  std::string result;
  for (const char c : of) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      result += "\\u00";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
  }
  return result;
}

}  // namespace msgbus::nats
