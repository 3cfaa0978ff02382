#pragma once

/// The part of a consumer that producers and subscriptions share, and that outlives it in them.

#include <msgbus/routing/type_table.hpp>
#include <msgbus/sync/detail/binding.hpp>
#include <msgbus/sync/detail/delivery.hpp>

namespace msgbus::sync::detail {

class consumer_core final : public routing::type_table {
 public:
  explicit consumer_core(std::shared_ptr<provider> overrides) : shared(std::move(overrides)) {}

  /// Runs the handlers of the event. Failures are collected, not thrown.
  std::size_t deliver(delivery& d) const;

  /// Runs them and throws what failed.
  std::size_t consume(value_ref event) const {
    delivery d(event);
    const std::size_t ran = deliver(d);
    d.failed.throw_any();
    return ran;
  }

  void close() noexcept;

  mutable parts shared;
  bound_to<consumer_core> senders;
};

/// What a producer's bindings and its own shares are.
class producer_core final : public routing::single_route {
 public:
  std::size_t dispatch(value_ref event) const;

  mutable observer_slot watcher;
  mutable striped_counter unrouted;
};

}  // namespace msgbus::sync::detail
