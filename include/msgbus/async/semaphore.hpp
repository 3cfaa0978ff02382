#pragma once

/// Permits that handlers share, and any other coroutine.

#include <msgbus/detail/exec/synchronization.hpp>

namespace msgbus::async {

/// A counting semaphore for coroutines, in order of arrival. For a policy it is in a `shared_ptr`,
/// so that all handlers together which have it run no more often at once than it has permits:
///
///     auto connections = std::make_shared<msgbus::async::semaphore>(8);
///     orders.handler(store_order, {.semaphore = connections});
///     co_await connections->acquire();  // and other code, which calls release() in the end
///
/// A wait that is cancelled has taken nothing, and those behind it move up. Thread-safe.
using semaphore = exec::async_semaphore;

}  // namespace msgbus::async
