#pragma once

/// A semaphore that handlers share with each other and with any coroutine.

#include <msgbus/detail/exec/synchronization.hpp>

namespace msgbus::async {

/// A counting semaphore for coroutines, in order of arrival. A policy holds it by a `shared_ptr`:
/// all handlers that share it together have at most as many simultaneous runs as it has permits:
///
///     auto connections = std::make_shared<msgbus::async::semaphore>(8);
///     orders.handler(store_order, {.semaphore = connections});
///     co_await connections->acquire();  // and other code, which calls release() in the end
///
/// With 0 permits, nobody passes until somebody calls `release`, as with `std::counting_semaphore`.
/// A cancelled wait has taken no permit, and later waits move up. Thread-safe.
using semaphore = exec::async_semaphore;

}  // namespace msgbus::async
