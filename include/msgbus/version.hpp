#pragma once

// The version of msgbus, of its headers and of the compiled library. Thread-safe: constants only.

/// The version of these headers, as a number that `#if` can compare:
///
///     MSGBUS_VERSION / 100000      the major version
///     MSGBUS_VERSION / 100 % 1000  the minor version
///     MSGBUS_VERSION % 100         the patch level
///
/// CMake compares it with the project's version and stops where they differ.
#define MSGBUS_VERSION 100

/// The version of these headers, as text: `"0.1.0"`.
#define MSGBUS_VERSION_STRING "0.1.0"

namespace msgbus {

/// The `MSGBUS_VERSION` of the compiled library. With a shared library it may differ from the
/// `MSGBUS_VERSION` that the program was compiled with.
[[nodiscard]] int version() noexcept;

/// The `MSGBUS_VERSION_STRING` of the compiled library.
[[nodiscard]] const char* version_string() noexcept;

}  // namespace msgbus
