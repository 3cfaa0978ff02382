#pragma once

/// The common part of producers and publishers: the bound components, in order.

#include <msgbus/detail/component/binding.hpp>
#include <msgbus/detail/observe/observer_slot.hpp>
#include <msgbus/detail/observe/outcomes.hpp>

#include <memory>
#include <vector>

namespace msgbus::sync::detail {

/// `Target` is the core of a bound component; it has `senders`.
template <class Target>
class fan_out_base : public routing::single_route {
 public:
  void bind(const std::shared_ptr<Target>& target, const std::source_location& line) {
    target->senders.bind(*this, target, {.line = line});
  }
  void trace(std::shared_ptr<tracer> by) { attached_observer.set_tracer(guarded(), std::move(by)); }
  void unbind(Target& target) { target.senders.unbind(*this); }

  /// The bound components, in the order of binding.
  [[nodiscard]] std::vector<std::shared_ptr<Target>> bound() const {
    std::vector<std::shared_ptr<Target>> all;
    this->for_each_attached([&](const routing::entry& each) {
      all.push_back(static_cast<const component::binding<Target>&>(each).shared_target());
    });
    return all;
  }

  mutable observer_slot attached_observer;
  mutable striped_counter unrouted;

 protected:
  fan_out_base() = default;
  ~fan_out_base() override = default;

  [[nodiscard]] static const Target& target_of(const routing::route_entry& bound) noexcept {
    return static_cast<const component::binding<Target>*>(bound.entry)->target();
  }
};

}  // namespace msgbus::sync::detail
