#include <msgbus/detail/observe/observer_slot.hpp>

#include <msgbus/counters.hpp>

#include "support/catch.hpp"
#include "support/stderr_of.hpp"

#include <stdexcept>

namespace observer_slot_test {

namespace {

using msgbus::routing::domain;
using msgbus::routing::guard;

std::shared_ptr<msgbus::observer> make_observer() { return std::make_shared<msgbus::observer>(); }

/// The number of steps that reach this observer.
std::uint64_t told_through(const msgbus::detail::observer_slot& slot,
                           const msgbus::counting_observer& counting) {
  const std::uint64_t before = counting.accepted();
  slot.get()->accepted({});
  return counting.accepted() - before;
}

}  // namespace

TEST_CASE("a slot is empty until it is set, and again when it is set to null") {
  const domain guarded;
  msgbus::detail::observer_slot slot;
  CHECK(slot.get() == nullptr);
  const auto observer = std::make_shared<msgbus::counting_observer>();
  slot.set(guarded, observer);
  CHECK(told_through(slot, *observer) == 1);
  slot.set(guarded, nullptr);
  CHECK(slot.get() == nullptr);
}

TEST_CASE("a slot keeps its observer, and releases the previous one") {
  const domain guarded;
  msgbus::detail::observer_slot slot;
  auto first = make_observer();
  const std::weak_ptr<msgbus::observer> watch = first;
  slot.set(guarded, std::move(first));
  CHECK_FALSE(watch.expired());
  const auto second = std::make_shared<msgbus::counting_observer>();
  slot.set(guarded, second);
  CHECK(watch.expired());
  CHECK(told_through(slot, *second) == 1);
}

TEST_CASE("an observer that a dispatch may use is released when the dispatch has ended", "[D6]") {
  const domain guarded;
  msgbus::detail::observer_slot slot;
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

TEST_CASE("a destroyed slot releases its observer") {
  const domain guarded;
  std::weak_ptr<msgbus::observer> watch;
  {
    msgbus::detail::observer_slot slot;
    auto observer = make_observer();
    watch = observer;
    slot.set(guarded, std::move(observer));
  }
  CHECK(watch.expired());
}

TEST_CASE("each exception of an observer is printed as one line, and does not propagate", "[A8]") {
  struct throws final : msgbus::observer {
    [[noreturn]] static void fail() { throw std::runtime_error("disk\nfull"); }
    void rejected(const msgbus::step&) override { fail(); }
    void accepted(const msgbus::step&) override { fail(); }
    void overran(const msgbus::step&, std::chrono::steady_clock::duration) override { fail(); }
    void delivered(const msgbus::step&) override { fail(); }
    void failed(const msgbus::step&, const std::exception_ptr&) override { fail(); }
    void dropped(const msgbus::step&) override { fail(); }
    void abandoned(const msgbus::step&) override { fail(); }
    void unrouted(const msgbus::step&) override { fail(); }
  };
  const domain guarded;
  msgbus::detail::observer_slot slot;
  // given: an observer whose functions all throw
  slot.set(guarded, std::make_shared<throws>());
  // when: each function is called
  const std::string text = msgbus_test::stderr_of([&] {
    msgbus::observer& attached = *slot.get();
    attached.rejected({});
    attached.accepted({});
    attached.overran({}, {});
    attached.delivered({});
    attached.failed({}, nullptr);
    attached.dropped({});
    attached.abandoned({});
    attached.unrouted({});
  });
  // then: each call has printed one line
  std::string all;
  for (int i = 0; i < 8; ++i) {
    all += "msgbus: an observer threw an exception, which it must not do: disk\\nfull\n";
  }
  CHECK(text == all);
}

}  // namespace observer_slot_test
