#include <msgbus/detail/observe/observer_slot.hpp>

#include "core/text.hpp"

#include <utility>
#include <vector>

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

/// Owns the attached objects.
struct observer_slot::attached : attachments {
  std::shared_ptr<guarded_observer> observing = nullptr;
  std::shared_ptr<handling_times> measured = nullptr;
  std::shared_ptr<tracer> traced = nullptr;
  failure_recorders recording = {};
};

void attachments::record_failure(const msgbus::step& message, const routing::entry* handler,
                                 const std::exception_ptr& why, bool repeated) const noexcept {
  if (!recorders) return;
  for (const auto& each : *recorders) each->failed(message, handler, why, repeated);
}

void attachments::record_unrouted(const msgbus::step& message) const noexcept {
  if (!recorders) return;
  for (const auto& each : *recorders) each->unrouted(message);
}

observer_slot::observer_slot() = default;
observer_slot::~observer_slot() {
  const std::unique_ptr<attached> gone(
      static_cast<attached*>(current_.load(std::memory_order_acquire)));
}

template <class Change>
routing::retire_list observer_slot::change(const routing::domain& guarded, Change replace) {
  routing::retire_list old;
  {
    const routing::guard guard(guarded);  // another thread may replace the objects meanwhile
    attachments* before = current_.load(std::memory_order_acquire);
    for (;;) {
      auto made = before ? std::make_unique<attached>(*static_cast<attached*>(before))
                         : std::make_unique<attached>();
      replace(*made);
      made->observer = made->observing.get();
      made->times = made->measured.get();
      made->tracing = made->traced ? &made->traced : nullptr;
      made->recorders = made->recording.empty() ? nullptr : &made->recording;
      made->has_others = made->observer || made->times || made->recorders;
      if (!made->has_others && !made->tracing) made.reset();
      if (current_.compare_exchange_strong(before, made.get(), std::memory_order_acq_rel)) {
        (void)made.release();
        break;
      }
    }
    old.add(std::unique_ptr<attached>(static_cast<attached*>(before)));
  }
  return old;
}

void observer_slot::set(const routing::domain& guarded, std::shared_ptr<observer> added) {
  std::shared_ptr<guarded_observer> made;
  if (added) made = std::make_shared<guarded_observer>(std::move(added));
  routing::retire(guarded, change(guarded, [&](attached& to) { to.observing = made; }));
}

void observer_slot::set_times(const routing::domain& guarded,
                              std::shared_ptr<handling_times> times) {
  routing::retire_later(guarded, change(guarded, [&](attached& to) { to.measured = times; }));
}

void observer_slot::set_tracer(const routing::domain& guarded, std::shared_ptr<tracer> added) {
  routing::retire_later(guarded, change(guarded, [&](attached& to) { to.traced = added; }));
}

void observer_slot::end_times(const routing::domain& guarded, const handling_times& times) {
  routing::retire_later(guarded, change(guarded, [&](attached& to) {
                          if (to.measured.get() == &times) to.measured.reset();
                        }));
}

void observer_slot::add_recorder(const routing::domain& guarded,
                                 std::shared_ptr<failure_recorder> added) {
  routing::retire_later(guarded,
                        change(guarded, [&](attached& to) { to.recording.push_back(added); }));
}

void observer_slot::remove_recorder(const routing::domain& guarded,
                                    const failure_recorder& removed) {
  routing::retire_later(guarded, change(guarded, [&](attached& to) {
                          std::erase_if(to.recording,
                                        [&](const auto& each) { return each.get() == &removed; });
                        }));
}

}  // namespace msgbus::detail
