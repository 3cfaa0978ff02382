#pragma once

/// How what was cancelled says so.

#include <exception>

namespace msgbus::exec {

/// Whether this is Asio's `operation_aborted`. False for null.
[[nodiscard]] bool is_aborted(const std::exception_ptr& thrown) noexcept;

}  // namespace msgbus::exec
