#pragma once

/// Handlers that need nothing but their message and the context: most are. What starts them is
/// compiled once, and not for each.

#include <msgbus/async/detail/delivery.hpp>
#include <msgbus/policy/held_policy.hpp>

#include <asio/awaitable.hpp>

namespace msgbus::async::detail {

struct bare_handler {
  void* f;
  /// Calls it; one that is a coroutine is put into `start`, and awaited by whoever calls this.
  void (*call)(void* f, value_ref message, const context& known, asio::awaitable<void>* start);
  bool is_coroutine;
};

/// Makes what runs it with the message of the delivery, as often and where its policy says. A plain
/// handler has a policy, or is not started.
void start_bare(bare_handler what, bool is_plain, const held_policy& how, routing::entry& entry,
                delivery& d, asio::awaitable<void>& start);

}  // namespace msgbus::async::detail
