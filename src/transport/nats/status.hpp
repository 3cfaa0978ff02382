#pragma once

/// The statuses of nats.c as the library's errors.

#include <msgbus/core/error.hpp>

#include <nats/nats.h>

#include <string>

namespace msgbus::nats {

/// `closed` stands for a connection that is closed, whoever closed it.
[[nodiscard]] errc code_of(natsStatus status) noexcept;

/// What nats.c says of the last failure on this thread; if that is another one, the status's name.
[[nodiscard]] std::string text_of(natsStatus status);

/// `what: why`.
[[nodiscard]] error failure(natsStatus status, const std::string& what);

}  // namespace msgbus::nats
