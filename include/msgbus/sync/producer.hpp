#pragma once

/// Sends events to the consumers that are bound to it.

#include <msgbus/sync/consumer.hpp>

namespace msgbus::sync {

/// Knows consumers, not handlers. Every member function may be called from any thread, also from
/// inside handlers (D5, D7). Producer and consumers may be destroyed in any order (D8).
class producer : public component::sender<detail::producer_core> {
 public:
  producer() : sender(detail::producer_core::make()) {}

  /// Events go to the consumers in the order in which they were bound; binding twice is binding
  /// once.
  template <class... Consumers>
    requires(std::derived_from<Consumers, consumer> && ...)
  void bind(Consumers&... consumers) {
    (bind_one(consumers), ...);
  }

  /// On a thread that is not inside a handler it returns when no dispatch of this producer is in
  /// the consumer any more.
  void unbind(consumer& bound) { core_->unbind(*bound.core_); }

  /// Runs the handlers of every bound consumer, and returns how many ran. Otherwise as
  /// `consumer::consume`, with all consumers' failures together.
  template <class E>
  std::size_t dispatch(const E& event) {
    static_assert(!std::is_array_v<E>,
                  "msgbus: events are routed by exact type, and an array is nobody's: send a "
                  "std::string, or better a type of your own");
    return detail::with_event(event,
                              [this](detail::value_ref what) { return core_->dispatch(what); });
  }

  /// The same, with an event made in place: `dispatch<registered>(1, "Alice")`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  std::size_t dispatch(Args&&... args) {
    return dispatch(detail::make_event<E>(std::forward<Args>(args)...));
  }

 private:
  void bind_one(consumer& bound) { core_->bind(bound.core_); }
};

}  // namespace msgbus::sync
