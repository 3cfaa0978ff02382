#pragma once

/// The part of a consumer that producers and subscriptions share, and that outlives it in them.

#include <msgbus/component/any_callable.hpp>
#include <msgbus/component/binding.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/routing/type_table.hpp>
#include <msgbus/sync/detail/run.hpp>

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
  std::size_t consume(value_ref event) const {
    delivery d(event);
    const std::size_t ran = deliver(d);
    d.failed.throw_any();
    return ran;
  }

  void close() noexcept;

  mutable component::parts shared;
  component::bound_to<consumer_core> senders;

 private:
  /// With handlers of any event, an observer, or an event without a handler.
  std::size_t deliver_rarely(routing::listed typed, delivery& d) const;
};

inline std::size_t consumer_core::deliver(delivery& d) const {
  const snapshot::guard guard(guarded());
  d.component = &shared;
  const routing::listed typed(find(d.message.type));
  if (typed.begin == typed.end || any() || shared.watcher.get()) [[unlikely]] {
    return deliver_rarely(typed, d);
  }
  std::size_t ran = 0;
  const routing::item* item = typed.begin;
  do ran += run_one(*item, d) ? 1 : 0;
  while (++item != typed.end);
  if (ran == 0) [[unlikely]]
    shared.unrouted.add();  // all were cancelled on the way
  return ran;
}

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
