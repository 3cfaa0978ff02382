#pragma once

/// The bindings of a producer or publisher to components, and their release.

#include <msgbus/detail/core/on_demand.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/registered_at.hpp>

#include <memory>
#include <mutex>
#include <source_location>
#include <vector>

namespace msgbus::component {

/// Where a component is bound, for descriptions.
struct bound_in {
  const void* fan_out = nullptr;   // the producer or publisher; null: the component is bound alone
  const char* pick = "";           // how one of the group is chosen
  std::source_location line = {};  // of `bind`; line 0: unknown
};

/// The first argument of `bind`, behind which others follow: it knows the line of the call.
template <class Component>
struct bound_here {
  bound_here(Component& bound, registered_at line = std::source_location::current()) noexcept
      : component(bound), at(line) {}

  Component& component;
  registered_at at;
};

/// An entry in the route of a producer or publisher: one bound component.
template <class Target>
class binding final : public routing::entry {
 public:
  binding(std::uint64_t order, std::shared_ptr<Target> target, const void* sender,
          const bound_in& in = {}) noexcept
      : entry(order), target_(std::move(target)), sender_(sender), in_(in) {}

  [[nodiscard]] std::string describe() const override { return "binding"; }

  /// For dispatches, under a guard of the sender.
  [[nodiscard]] Target& target() const noexcept { return *target_; }
  [[nodiscard]] const std::shared_ptr<Target>& shared_target() const noexcept { return target_; }
  [[nodiscard]] const void* sender() const noexcept { return sender_; }
  [[nodiscard]] const bound_in& in() const noexcept { return in_; }

 private:
  void destroy_callable() noexcept override { target_.reset(); }

  std::shared_ptr<Target> target_;
  const void* sender_;
  const bound_in in_;
};

/// The senders to which a consumer or subscriber is bound (D8).
template <class Target>
class bound_to {
 public:
  /// Binds. A second call for the same sender has no effect.
  void bind(routing::single_route& sender, const std::shared_ptr<Target>& self,
            const bound_in& in = {}) {
    senders& all = senders_.made();
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.bindings, [](const auto& each) { return !each->active(); });
    for (const auto& each : all.bindings) {
      if (each->sender() == &sender) return;
    }
    all.bindings.push_back(sender.attach(nullptr, [&](std::uint64_t order) {
      return std::make_shared<binding<Target>>(order, self, &sender, in);
    }));
  }

  /// Unbinds. Outside of handlers, it waits for the dispatches of the sender.
  void unbind(const routing::single_route& sender) {
    senders* const all = senders_.get();
    if (!all) return;
    std::shared_ptr<binding<Target>> found;
    {
      const std::lock_guard lock(all->mutex);
      for (const auto& each : all->bindings) {
        if (each->sender() == &sender) found = each;
      }
    }
    if (found) routing::router::detach(*found);
  }

  /// Calls `f(sender, in)` for each: a producer, a publisher or a group.
  template <class F>
  void for_each(F f) const {
    senders* const all = senders_.get();
    if (!all) return;
    const std::lock_guard lock(all->mutex);
    for (const auto& each : all->bindings) {
      if (each->active()) f(each->sender(), each->in());
    }
  }

  /// At the end of the component. Does not wait for dispatches of the senders.
  void drop_all() noexcept {
    senders* const all = senders_.get();
    if (!all) return;
    std::vector<std::shared_ptr<binding<Target>>> dropped;
    {
      const std::lock_guard lock(all->mutex);
      dropped.swap(all->bindings);
    }
    for (const auto& each : dropped) routing::router::detach_later(*each);
  }

 private:
  struct senders {
    std::mutex mutex;
    std::vector<std::shared_ptr<binding<Target>>> bindings;
  };
  on_demand<senders> senders_;  // many components have no sender
};

}  // namespace msgbus::component
