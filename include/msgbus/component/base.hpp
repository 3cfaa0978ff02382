#pragma once

/// The members that components have in common. All of them may be called from any thread, also from
/// inside handlers (D5, D7).

#include <msgbus/di/provider.hpp>
#include <msgbus/observe/observer.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace msgbus::component {

/// For the library's upper floors: a component's core.
struct core_access {
  template <class Component>
  [[nodiscard]] static const auto& of(const Component& component) noexcept {
    return component.core_;
  }
};

/// The base of consumers, subscribers and services: owns the component's core and offers its
/// overrides and its observer. `Core` has `shared`, which are its `parts`, `guarded()` and
/// `close()`.
template <class Core>
class base {
 public:
  base(const base&) = delete;
  base& operator=(const base&) = delete;

  /// See `provider::override`.
  template <class Dependency, class Implementation>
  void override(const Dependency& dependency, Implementation implementation) {
    core_->shared.overrides().override(dependency, std::move(implementation));
  }

  /// See `provider::restore`.
  template <class Dependency>
  void restore(const Dependency& dependency) {
    core_->shared.overrides().restore(dependency);
  }

  /// See `provider::scoped_override`.
  template <class Dependency, class Implementation>
  [[nodiscard]] override_guard scoped_override(const Dependency& dependency,
                                               Implementation implementation) {
    return core_->shared.overrides().scoped_override(dependency, std::move(implementation));
  }

  /// Tells the observer of each step from here on, instead of the one before; null for none. On a
  /// thread that is not inside a handler it returns when the one before is told nothing any more.
  void observe(std::shared_ptr<observer> watcher) {
    core_->shared.watcher.set(core_->guarded(), std::move(watcher));
  }

  /// How many messages nobody handled (D3).
  [[nodiscard]] std::uint64_t unrouted() const noexcept { return core_->shared.unrouted.sum(); }

 protected:
  /// The core is there, and is this component's alone.
  explicit base(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}

  /// Ends as `subscription::cancel` does for every handler: what handlers point to may be freed
  /// after it, unless it runs inside a handler (D6, D8).
  ~base() { core_->close(); }

  friend core_access;
  const std::shared_ptr<Core> core_;
};

/// The same for producers and publishers, which have no handlers of their own. `Core` has `watcher`
/// and `unrouted` itself.
template <class Core>
class sender {
 public:
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  /// Tells the observer of each message from here on, instead of the one before; null for none.
  void observe(std::shared_ptr<observer> watcher) {
    core_->watcher.set(core_->guarded(), std::move(watcher));
  }

  /// How many messages no bound component handled (D3).
  [[nodiscard]] std::uint64_t unrouted() const noexcept { return core_->unrouted.sum(); }

 protected:
  /// The core is there, and is this sender's alone.
  explicit sender(std::shared_ptr<Core> core) noexcept : core_(std::move(core)) {}
  ~sender() { core_->close(); }

  const std::shared_ptr<Core> core_;
};

}  // namespace msgbus::component
