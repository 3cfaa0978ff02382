#pragma once

/// The sync producer: sends events to the consumers that are bound to it.

#include <msgbus/sync/consumer.hpp>

namespace msgbus::sync {

/// Sends events to consumers. It has no handlers.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers (D5,
/// D7). Producer and consumers may be destroyed in any order (D8).
class producer : public component::fan_out_base<detail::producer_core> {
 public:
  /// A producer without consumers.
  producer() : fan_out_base(detail::producer_core::make()) {}

  /// Binds consumers. Events go to them in the order of binding. A second `bind` of the same
  /// consumer has no effect.
  template <class... Consumers>
    requires(std::derived_from<Consumers, consumer> && ...)
  void bind(msgbus::component::bound_here<consumer> first, Consumers&... others) {
    bind_one(first.component, first.at);
    (bind_one(others, first.at), ...);
  }
  /// Of none.
  void bind() noexcept {}

  /// Unbinds a consumer. On a thread that is not inside a handler, the call returns when no
  /// dispatch of this producer runs in the consumer any more.
  void unbind(consumer& bound) { core_->unbind(*bound.core_); }

  /// Passes a span of each `dispatch` to a tracer. It is the parent of the handlers' spans. Without
  /// a tracer here, each bound consumer that has one makes a span of its own for it. Null detaches
  /// the tracer.
  void trace(std::shared_ptr<tracer> tracer) { core_->trace(std::move(tracer)); }

  /// Runs the handlers of every bound consumer on this thread, and returns how many ran. Otherwise
  /// as `consumer::consume`.
  ///
  /// Throws: as `consumer::consume`, with the exceptions of all consumers together.
  template <class E>
  std::size_t dispatch(const E& event) {
    static_assert(!std::is_array_v<E>,
                  "msgbus: an event cannot be an array; send a type of your own, or a "
                  "std::string");
    return detail::with_event(event,
                              [this](detail::value_ref value) { return core_->dispatch(value); });
  }

  /// As above, with an event that is made in place: `dispatch<registered>(1, "Alice")`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  std::size_t dispatch(Args&&... args) {
    return dispatch(detail::make_event<E>(std::forward<Args>(args)...));
  }

 private:
  void bind_one(consumer& bound, const registered_at& line) {
    core_->bind(bound.core_, line.location());
  }
};

}  // namespace msgbus::sync
