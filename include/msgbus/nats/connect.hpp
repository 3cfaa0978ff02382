#pragma once

/// A bridge over NATS.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/detail/exec/requirements.hpp>
#include <msgbus/nats/options.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <utility>

namespace msgbus::nats {

/// Connects to a NATS server, and returns the bridge. Links call back on `executor`, which should
/// be that of the components.
///
/// Completes: when the connection is established.
/// Throws: as `open`.
/// Cancellation: as `open`.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<bridge> connect(asio::any_io_executor executor,
                                              const options& options, bridge_options bridging);

/// As above, with default bridge options.
[[nodiscard]] asio::awaitable<bridge> connect(asio::any_io_executor executor,
                                              const options& options);

/// The same with the executor of a context, such as an `asio::io_context`.
template <exec::execution_context Context>
[[nodiscard]] asio::awaitable<bridge> connect(Context& context, const options& options,
                                              bridge_options bridging) {
  return connect(asio::any_io_executor(context.get_executor()), options, std::move(bridging));
}
template <exec::execution_context Context>
[[nodiscard]] asio::awaitable<bridge> connect(Context& context, const options& options) {
  return connect(asio::any_io_executor(context.get_executor()), options);
}

// All names that a program with NATS needs, in one namespace.
using msgbus::call_options;
using msgbus::durable_options;
using msgbus::inbound_options;
using msgbus::outbound_options;
using msgbus::remote_service;
using msgbus::serve_options;
using msgbus::store_options;
using transport::stored;
using transport::stream_options;

}  // namespace msgbus::nats
