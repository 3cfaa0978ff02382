#pragma once

// The version of msgbus: of its headers, as macros, and of the library that the program runs with.
// It does not include Asio.

#include <msgbus/core/version.hpp>
