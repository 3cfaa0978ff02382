#pragma once

/// The last resort for errors: one line on stderr.

#include <exception>
#include <initializer_list>
#include <string_view>

namespace msgbus::detail {

/// Writes `msgbus: `, the parts and the failure's text, whatever bytes they hold, as one line, with
/// one call. Never throws: without memory the line says that instead.
void say(std::initializer_list<std::string_view> parts,
         const std::exception_ptr& failure = nullptr) noexcept;

/// Inside a `catch` block: one line for what a callback of the user's has thrown. `where` names the
/// callback.
void say_thrown_by(std::string_view where) noexcept;

}  // namespace msgbus::detail
