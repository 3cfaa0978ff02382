#include <msgbus/observe/observer_slot.hpp>

#include "core/say.hpp"

#include <utility>

namespace msgbus::detail {

/// The one place where observers are called.
class observer_slot::guarded_observer final : public observer {
 public:
  explicit guarded_observer(std::shared_ptr<observer> told) noexcept : told_(std::move(told)) {}

  void rejected(const step& about) noexcept override { tell(&observer::rejected, about); }
  void accepted(const step& about) noexcept override { tell(&observer::accepted, about); }
  void delivered(const step& about) noexcept override { tell(&observer::delivered, about); }
  void failed(const step& about, const std::exception_ptr& why) noexcept override {
    tell(&observer::failed, about, why);
  }
  void overran(const step& about, std::chrono::steady_clock::duration took) noexcept override {
    tell(&observer::overran, about, took);
  }
  void dropped(const step& about) noexcept override { tell(&observer::dropped, about); }
  void abandoned(const step& about) noexcept override { tell(&observer::abandoned, about); }
  void unrouted(const step& about) noexcept override { tell(&observer::unrouted, about); }

 private:
  template <class... Params, class... Args>
  void tell(void (observer::*function)(Params...), const Args&... args) const noexcept {
    try {
      (told_.get()->*function)(args...);
    } catch (...) {
      say_thrown_by("an observer");
    }
  }

  const std::shared_ptr<observer> told_;
};

observer_slot::observer_slot() = default;
observer_slot::~observer_slot() { const std::unique_ptr<observer> gone(get()); }

void observer_slot::set(const snapshot::domain& guarded, std::shared_ptr<observer> watcher) {
  std::unique_ptr<observer> made;
  if (watcher) made = std::make_unique<guarded_observer>(std::move(watcher));
  snapshot::trash old;
  const auto before = current_.exchange(made.release(), std::memory_order_acq_rel);
  old.add(std::unique_ptr<observer>(before));
  snapshot::retire(guarded, std::move(old));
}

}  // namespace msgbus::detail
