#include <msgbus/scheduled.hpp>

#include "support/catch.hpp"

#include <memory>
#include <sstream>
#include <type_traits>

namespace scheduled_test {

using msgbus::scheduled;
using msgbus::exec::due_key;
using msgbus::exec::scheduled_access;

namespace {

struct one_entry final : msgbus::exec::schedule_target {
  bool cancel(const due_key& key) noexcept override {
    const bool was = is_scheduled(key);
    there = false;
    return was;
  }
  [[nodiscard]] bool is_scheduled(const due_key& key) const noexcept override {
    return there && key == due_key{.slot = 3, .order = 7};
  }
  bool there = true;
};

}  // namespace

TEST_CASE("a handle of nothing is done, and cancels nothing") {
  scheduled none;
  CHECK(none.done());
  CHECK_FALSE(none.cancel());
}

TEST_CASE("copies of a handle refer to the same message", "[P6]") {
  scheduled one = scheduled_access::make(std::make_shared<one_entry>(), {.slot = 3, .order = 7});
  scheduled same = one;
  CHECK_FALSE(same.done());
  CHECK(one.cancel());
  CHECK(same.done());
  CHECK_FALSE(same.cancel());
  static_assert(std::is_nothrow_move_constructible_v<scheduled>);
}

TEST_CASE("the options of recurring schedules are printed") {
  std::ostringstream out;
  out << msgbus::every_options{.missed = msgbus::missed::catch_up};
  CHECK(out.str() == "every_options{.missed = catch_up}");
}

}  // namespace scheduled_test
