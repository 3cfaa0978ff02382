#pragma once

/// The requirements of the library on Asio: its version, named before any other error, and the
/// contexts that are accepted in place of an executor.

#include <msgbus/detail/core/config.hpp>

#include <asio/version.hpp>

// The same number is in cmake/msgbus_asio.cmake.
#if ASIO_VERSION < 102200
#error "msgbus needs Asio 1.22 or newer (on Debian 12: libasio-dev; else https://think-async.com)"
#endif

#include <asio/any_io_executor.hpp>
#include <asio/execution_context.hpp>

#include <concepts>

namespace msgbus::exec {

/// A context with an executor, which Asio's own objects accept in place of an executor.
template <class T>
concept execution_context =
    std::convertible_to<T&, asio::execution_context&> && requires(T& context) {
      { context.get_executor() } -> std::convertible_to<asio::any_io_executor>;
    };

}  // namespace msgbus::exec
