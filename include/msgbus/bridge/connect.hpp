#pragma once

/// A bridge over NATS.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/transport/nats.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

namespace msgbus::nats {

/// Connects, as `open` does, and gives the bridge. Links call back on `executor`, which should be
/// one that the program's components run on. The caller resumes on its own executor. Throws as
/// `open`.
[[nodiscard]] asio::awaitable<bridge> connect(asio::any_io_executor executor, const options& how,
                                              bridge_options bridging);
[[nodiscard]] asio::awaitable<bridge> connect(asio::any_io_executor executor, const options& how);

// So that a program that speaks NATS finds all words in one place.
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
