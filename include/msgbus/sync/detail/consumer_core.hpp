#pragma once

/// The part of a consumer that producers and subscriptions share, and that outlives it in them.

#include <msgbus/component/any_callable.hpp>
#include <msgbus/component/binding.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/routing/type_table.hpp>
#include <msgbus/sync/detail/delivery.hpp>

namespace msgbus::sync::detail {

class consumer_core final : public routing::type_table {
 public:
  explicit consumer_core(std::shared_ptr<provider> overrides);
  ~consumer_core() override;

  [[nodiscard]] static std::shared_ptr<consumer_core> make(std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from.
  subscription attach_handler(std::span<const routing::typed_call> calls,
                              const component::callable_type& type, void* callable);

  /// Runs the handlers of the event. Failures are collected, not thrown.
  std::size_t deliver(delivery& d) const;

  /// Runs them and throws what failed.
  std::size_t consume(value_ref event) const;

  void close() noexcept;

  mutable component::parts shared;
  component::bound_to<consumer_core> senders;

 private:
  /// With handlers of any event, an observer, or an event without a handler.
  std::size_t deliver_rarely(routing::listed typed, delivery& d) const;
};

/// What a producer's bindings and its own shares are.
class producer_core final : public routing::single_route {
 public:
  producer_core();
  ~producer_core() override;

  [[nodiscard]] static std::shared_ptr<producer_core> make();

  void bind(const std::shared_ptr<consumer_core>& target);
  void unbind(consumer_core& target);

  std::size_t dispatch(value_ref event) const;

  mutable observer_slot watcher;
  mutable striped_counter unrouted;
};

}  // namespace msgbus::sync::detail
