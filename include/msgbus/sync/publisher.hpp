#pragma once

/// The sync publisher: sends messages with a topic to the subscribers that are bound to it.

#include <msgbus/sync/subscriber.hpp>

namespace msgbus::sync {

/// Sends messages to subscribers. It has no handlers.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers (D5,
/// D7). Publisher and subscribers may be destroyed in any order (D8).
class publisher : public component::fan_out_base<detail::publisher_core> {
 public:
  /// A publisher without subscribers.
  publisher() : fan_out_base(detail::publisher_core::make()) {}

  /// Binds subscribers. Messages go to them in the order of binding. A second `bind` of the same
  /// subscriber has no effect.
  template <class... Subscribers>
    requires(std::derived_from<Subscribers, subscriber> && ...)
  void bind(msgbus::component::bound_here<subscriber> first, Subscribers&... others) {
    bind_one(first.component, first.at);
    (bind_one(others, first.at), ...);
  }
  /// Of none.
  void bind() noexcept {}

  /// Unbinds a subscriber. On a thread that is not inside a handler, the call returns when no
  /// `publish` of this publisher runs in the subscriber any more.
  void unbind(subscriber& bound) { core_->unbind(*bound.core_); }

  /// Passes a span of each `publish` to a tracer. It is the parent of the handlers' spans. Without
  /// a tracer here, each bound subscriber that has one makes a span of its own for it. Null
  /// detaches the tracer.
  void trace(std::shared_ptr<tracer> tracer) { core_->trace(std::move(tracer)); }

  /// Runs the handlers of every bound subscriber on this thread, and returns how many ran.
  /// Otherwise as `subscriber::receive`.
  ///
  /// Throws: as `subscriber::receive`, with the exceptions of all subscribers together;
  /// `type_mismatch` only if no subscriber accepts the type.
  template <class M>
  std::size_t publish(const M& message, std::string_view topic) {
    return publish_at(message, topic, detail::hash_of(topic));
  }

  /// As above, for a typed topic. A message of another type does not compile.
  template <class M, class T>
  std::size_t publish(const M& message, const topic<T>& topic) {
    static_assert(std::same_as<M, T>,
                  "msgbus: this topic<T> carries another type than the message's");
    return publish_at(message, topic.name(), topic.hash());
  }

 private:
  template <class M>
  std::size_t publish_at(const M& message, std::string_view topic, std::size_t hash) {
    return detail::with_event(
        message, [&](detail::value_ref value) { return core_->publish(value, topic, hash); });
  }

  void bind_one(subscriber& bound, const registered_at& line) {
    core_->bind(bound.core_, line.location());
  }
};

}  // namespace msgbus::sync
