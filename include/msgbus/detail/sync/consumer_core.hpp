#pragma once

/// The core of a consumer, shared with producers and subscriptions, which may outlive the consumer.

#include <msgbus/detail/component/any_callable.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/detail/routing/type_table.hpp>
#include <msgbus/detail/sync/component_run.hpp>
#include <msgbus/detail/sync/fan_out_base.hpp>
#include <msgbus/registered_at.hpp>
#include <msgbus/subscription.hpp>

namespace msgbus::sync::detail {

class consumer_core final : public routing::type_table {
 public:
  explicit consumer_core(std::shared_ptr<provider> overrides);
  ~consumer_core() override;

  [[nodiscard]] static std::shared_ptr<consumer_core> make(std::shared_ptr<provider> overrides);

  /// Attaches a callable, which is moved from.
  subscription attach_handler(std::span<const routing::typed_call> calls,
                              const component::callable_type& type, void* callable,
                              const registered_at& line);

  /// Runs the handlers of the event. Failures are collected, not thrown.
  std::size_t deliver(component_run& d) const;
  /// As above; the sender has a tracer.
  std::size_t deliver_traced(component_run& d) const;

  /// Runs the handlers, and throws the failures.
  std::size_t consume(value_ref event) const {
    const routing::guard guard(guarded());
    // The compiler knows the type, and with it its hash.
    const routing::quick_route* const found = find_route(event.type);
    routing::entry* const sole = found ? found->sole() : nullptr;
    if (!sole || shared.attached_observer.attachments_now()) [[unlikely]]
      return consume_guarded(found, event);
    return call_sole(*sole, event);
  }

  /// A `replay_target::run_only` of a consumer core.
  static bool run_only(const void* core, value_ref event, std::string_view topic,
                       std::uint64_t handler, failures& failed);

  void trace(std::shared_ptr<tracer> by) {
    shared.attached_observer.set_tracer(guarded(), std::move(by));
  }

  void shutdown() noexcept;

  /// Adds the component and its senders to a graph.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;
  /// The attached handlers, in the order of attachment.
  [[nodiscard]] std::vector<component::described_handler> described_handlers() const;

  mutable component::counted_component_state shared;
  component::bound_to<consumer_core> senders;

 private:
  // Throws the handler's exception.
  std::size_t call_sole(routing::entry& sole, value_ref event) const {
    try {
      reinterpret_cast<call_plain>(sole.plain())(sole, event.data, shared, nullptr);
    } catch (...) {
      pass_on_caught();
    }
    return 1;
  }

  // Under a guard; the route is that of the event's type.
  std::size_t consume_guarded(const routing::quick_route* found, value_ref event) const;
  std::size_t consume_unwatched(const routing::quick_route* found, value_ref event) const;
  std::size_t deliver_unwatched(const routing::quick_route* found, component_run& d) const;
  std::size_t deliver_watched(const routing::quick_route* found, component_run& d,
                              const attachments& by) const;

  // The same, and they collect failures. `verb` is null if the sender has its span.
  std::size_t run_all(const routing::quick_route* found, component_run& d) const;
  std::size_t run_all_watched(const routing::quick_route* found, component_run& d,
                              const attachments& by, const char* verb,
                              const trace_start& start) const;
  std::size_t run_each(routing::handler_range typed, component_run& d, const attachments* by) const;
};

extern template class fan_out_base<consumer_core>;

/// The target of a producer's bindings.
class producer_core final : public fan_out_base<consumer_core> {
 public:
  producer_core();
  ~producer_core() override;

  [[nodiscard]] static std::shared_ptr<producer_core> make();

  std::size_t dispatch(value_ref event) const;

  /// Adds the producer to a graph.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;

 private:
  // Under a guard.
  std::size_t dispatch_unwatched(component_run& d) const;
  std::size_t dispatch_watched(component_run& d, const attachments& by) const;
};

}  // namespace msgbus::sync::detail
