#pragma once

/// Who may ask a monitor: docs/design/0034-monitor.md. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace msgbus::monitoring {

/// Whether a request may have this `Host`: an address, `localhost`, or one of `names`; with any
/// port, since ports are forwarded. A name that a foreign site has bound to this machine is none.
[[nodiscard]] bool is_allowed_host(std::string_view host, const std::vector<std::string>& names);

/// Whether an action may have this `Origin`: none, or the site that was asked.
[[nodiscard]] bool is_same_origin(std::string_view origin, std::string_view host);

/// Whether `Authorization` has this token. Its time depends on the length of the header alone.
[[nodiscard]] bool is_authorized(std::string_view header, std::string_view token);

/// Whether only programs on this machine reach the address.
[[nodiscard]] bool is_loopback(const std::string& address);

/// Whether `Accept` names this media type, without asking for a weight of zero.
[[nodiscard]] bool accepts(std::string_view header, std::string_view type);

}  // namespace msgbus::monitoring
