#pragma once

/// Names the required Asio before any other error. The same number is in cmake/msgbus_asio.cmake.

#include <msgbus/detail/core/config.hpp>

#include <asio/version.hpp>

#if ASIO_VERSION < 102200
#error "msgbus needs Asio 1.22 or newer (on Debian 12: libasio-dev; else https://think-async.com)"
#endif
