#pragma once

/// The members of all components. Thread-safe, also inside handlers (D5, D7).

#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/observer.hpp>
#include <msgbus/provider.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace msgbus {
class tracer;
}  // namespace msgbus

namespace msgbus::component {

/// Access to the core of a component, for upper layers of the library.
struct core_access {
  /// The core of the component.
  template <class Component>
  [[nodiscard]] static const auto& of(const Component& component) noexcept {
    return component.core_;
  }
};

/// Describes the core's component as long as the core exists.
template <class Core>
[[nodiscard]] msgbus::detail::describer describer_of(const std::shared_ptr<Core>& core) {
  return
      [of = std::weak_ptr<Core>(core)](msgbus::detail::graph_builder& to, std::string_view name) {
        if (const std::shared_ptr<Core> now = of.lock()) now->describe_to(to, name);
      };
}

/// The base of consumers, subscribers and services. It owns the component's core, with the
/// overrides and the observer. `Core` has `shared` (its `component_state`), `guarded()` and
/// `shutdown()`.
template <class Core>
class base {
 public:
  base(const base&) = delete;
  base& operator=(const base&) = delete;

  /// Replaces a dependency for the handlers of this component; see `provider::override`.
  template <class Dependency, class Implementation>
  void override(const Dependency& dependency, Implementation implementation,
                registered_at line = std::source_location::current()) {
    core_->shared.overrides().override(dependency, std::move(implementation), line);
  }

  /// Removes the overrides of a dependency; see `provider::restore`.
  template <class Dependency>
  void restore(const Dependency& dependency) {
    core_->shared.overrides().restore(dependency);
  }

  /// Replaces a dependency until the guard is destroyed; see `provider::scoped_override`.
  template <class Dependency, class Implementation>
  [[nodiscard]] override_guard scoped_override(
      const Dependency& dependency, Implementation implementation,
      registered_at line = std::source_location::current()) {
    return core_->shared.overrides().scoped_override(dependency, std::move(implementation), line);
  }

  /// Attaches an observer, which replaces the previous one; null detaches it. On a thread that is
  /// not inside a handler, the call returns when the previous observer is no longer in use.
  void observe(std::shared_ptr<observer> observer) {
    core_->shared.attached_observer.set(core_->guarded(), std::move(observer));
  }

  /// Passes spans of the component's messages to a tracer. Each sent message and each verb has a
  /// span, and so has each run of a handler. Replaces the previous tracer, which still gets the
  /// spans that have begun; null detaches it. Several components may share one.
  void trace(std::shared_ptr<tracer> tracer) { core_->trace(std::move(tracer)); }

  /// The number of messages without a handler (D3).
  [[nodiscard]] std::uint64_t unrouted() const noexcept { return core_->shared.unrouted.sum(); }

 protected:
  /// `core` is not null, and belongs to this component alone.
  explicit base(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}

  /// Cancels every handler as `subscription::cancel` does. Objects that handlers refer to may be
  /// freed afterwards, unless the destructor runs inside a handler (D6, D8).
  ~base() { core_->shutdown(); }

  friend core_access;
  friend msgbus::detail::describe_access;
  [[nodiscard]] msgbus::detail::describer describer() const { return describer_of(core_); }

  const std::shared_ptr<Core> core_;
};

/// The base of producers and publishers, which have no handlers. `Core` has `observer` and
/// `unrouted`.
template <class Core>
class fan_out_base {
 public:
  fan_out_base(const fan_out_base&) = delete;
  fan_out_base& operator=(const fan_out_base&) = delete;

  /// Attaches an observer, which replaces the previous one; null detaches it.
  void observe(std::shared_ptr<observer> observer) {
    core_->attached_observer.set(core_->guarded(), std::move(observer));
  }

  /// The number of messages that no bound component handled (D3).
  [[nodiscard]] std::uint64_t unrouted() const noexcept { return core_->unrouted.sum(); }

 protected:
  /// `core` is not null, and belongs to this object alone.
  explicit fan_out_base(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}
  ~fan_out_base() { core_->shutdown(); }

  friend core_access;
  friend msgbus::detail::describe_access;
  [[nodiscard]] msgbus::detail::describer describer() const { return describer_of(core_); }

  const std::shared_ptr<Core> core_;
};

}  // namespace msgbus::component
