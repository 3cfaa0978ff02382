#pragma once

/// The urls of servers. Pure.
///
/// Texts for people come from here, since a url may have a password or a token, which is never a
/// part of them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::nats {

/// How to log in. A user without a password is a token.
struct login {
  std::string user = {};
  std::optional<std::string> password = {};
  friend bool operator==(const login&, const login&) = default;
};

struct server_url {
  std::string scheme = {};  ///< empty: none is given
  std::string host = {};    ///< an IPv6 address in brackets
  std::string port = {};    ///< empty: the default
  std::optional<login> credentials = {};
};

/// Reads a list of urls, as `options::url` says. Throws `bad_arguments`, without a word of theirs.
[[nodiscard]] std::vector<server_url> parse_urls(std::string_view list);

/// Scheme, host and port.
[[nodiscard]] std::string shown(const server_url& url);

/// The same of each in a list; one that cannot be read says so.
[[nodiscard]] std::string shown(std::string_view list);

/// The same of one url as nats.c writes it, where a password is not encoded.
[[nodiscard]] std::string shown_as_written(std::string_view url);

/// As nats.c takes it. Its versions before 3.9 do not decode.
[[nodiscard]] std::string written(const server_url& url, bool encoded);

/// The text with JSON's escapes, for texts that nats.c puts into JSON without escaping them.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace msgbus::nats
