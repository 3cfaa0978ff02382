#include <msgbus/detail/observe/observer_slot.hpp>

#include "core/text.hpp"

#include <utility>

namespace msgbus::detail {

/// All calls of observers go through this class.
class observer_slot::guarded_observer final : public observer {
 public:
  explicit guarded_observer(std::shared_ptr<observer> attached) noexcept
      : attached_(std::move(attached)) {}

  void rejected(const step& step) noexcept override { notify(&observer::rejected, step); }
  void accepted(const step& step) noexcept override { notify(&observer::accepted, step); }
  void delivered(const step& step) noexcept override { notify(&observer::delivered, step); }
  void failed(const step& step, const std::exception_ptr& why) noexcept override {
    notify(&observer::failed, step, why);
  }
  void overran(const step& step, std::chrono::steady_clock::duration took) noexcept override {
    notify(&observer::overran, step, took);
  }
  void dropped(const step& step) noexcept override { notify(&observer::dropped, step); }
  void abandoned(const step& step) noexcept override { notify(&observer::abandoned, step); }
  void unrouted(const step& step) noexcept override { notify(&observer::unrouted, step); }

 private:
  template <class... Params, class... Args>
  void notify(void (observer::*function)(Params...), const Args&... args) const noexcept {
    try {
      (attached_.get()->*function)(args...);
    } catch (...) {
      say_thrown_by("an observer");
    }
  }

  const std::shared_ptr<observer> attached_;
};

observer_slot::observer_slot() = default;
observer_slot::~observer_slot() { const std::unique_ptr<observer> gone(get()); }

void observer_slot::set(const snapshot::domain& guarded, std::shared_ptr<observer> added) {
  std::unique_ptr<observer> made;
  if (added) made = std::make_unique<guarded_observer>(std::move(added));
  snapshot::retire_list old;
  const auto before = current_.exchange(made.release(), std::memory_order_acq_rel);
  old.add(std::unique_ptr<observer>(before));
  snapshot::retire(guarded, std::move(old));
}

}  // namespace msgbus::detail
