#include <msgbus/observe/observer_slot.hpp>

#include "support/catch.hpp"

namespace {

using msgbus::snapshot::domain;
using msgbus::snapshot::guard;

std::shared_ptr<msgbus::observer> make_observer() { return std::make_shared<msgbus::observer>(); }

}  // namespace

TEST_CASE("a slot is empty until it is set, and again when it is set to null") {
  const domain guarded;
  msgbus::observer_slot slot;
  CHECK(slot.get() == nullptr);
  const auto watcher = make_observer();
  slot.set(guarded, watcher);
  CHECK(slot.get() == watcher.get());
  slot.set(guarded, nullptr);
  CHECK(slot.get() == nullptr);
}

TEST_CASE("a slot keeps its observer, and lets the one before go") {
  const domain guarded;
  msgbus::observer_slot slot;
  auto first = make_observer();
  const std::weak_ptr<msgbus::observer> watch = first;
  slot.set(guarded, std::move(first));
  CHECK_FALSE(watch.expired());
  auto second = make_observer();
  const auto* const address = second.get();
  slot.set(guarded, std::move(second));
  CHECK(watch.expired());
  CHECK(slot.get() == address);
}

TEST_CASE("an observer that a dispatch may be using is let go when the dispatch has ended",
          "[D6]") {
  const domain guarded;
  msgbus::observer_slot slot;
  auto first = make_observer();
  const std::weak_ptr<msgbus::observer> watch = first;
  slot.set(guarded, std::move(first));
  {
    const guard dispatching(guarded);
    slot.set(guarded, nullptr);
    CHECK(slot.get() == nullptr);
    CHECK_FALSE(watch.expired());
  }
  CHECK(watch.expired());
}

TEST_CASE("an observer goes with its slot") {
  const domain guarded;
  std::weak_ptr<msgbus::observer> watch;
  {
    msgbus::observer_slot slot;
    auto watcher = make_observer();
    watch = watcher;
    slot.set(guarded, std::move(watcher));
  }
  CHECK(watch.expired());
}
