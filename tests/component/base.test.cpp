#include <msgbus/detail/component/base.hpp>

#include "support/catch.hpp"
#include "support/recorder.hpp"

#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/detail/routing/router.hpp>

#include <type_traits>

namespace base_test {

namespace {

using msgbus::component::base;
using msgbus::component::counted_component_state;
using msgbus::component::fan_out_base;

// Cores count their shutdowns outside the object, which is destroyed afterwards.
struct core final : msgbus::routing::single_route {
  core(int* times_closed, std::shared_ptr<msgbus::provider> overrides)
      : shared(std::move(overrides)), closed(times_closed) {}
  void shutdown() noexcept { ++*closed; }
  counted_component_state shared;
  int* const closed;
};

struct component final : base<core> {
  component(int* closed, std::shared_ptr<msgbus::provider> overrides)
      : base(std::make_shared<core>(closed, std::move(overrides))) {}
  [[nodiscard]] std::shared_ptr<core> inside() const { return core_; }
};

struct sending_core final : msgbus::routing::single_route {
  explicit sending_core(int* times_closed) : closed(times_closed) {}
  void shutdown() noexcept { ++*closed; }
  msgbus::detail::observer_slot attached_observer;
  msgbus::detail::striped_counter unrouted;
  int* const closed;
};

struct sending final : fan_out_base<sending_core> {
  explicit sending(int* closed) : fan_out_base(std::make_shared<sending_core>(closed)) {}
  [[nodiscard]] std::shared_ptr<sending_core> inside() const { return core_; }
};

int& get_stock() {
  static int stock = 1;
  return stock;
}

}  // namespace

TEST_CASE("a destroyed component shuts its core down, and other owners keep the core", "[D8]") {
  int closed = 0;
  std::shared_ptr<core> kept;
  {
    const component one(&closed, nullptr);
    kept = one.inside();
    CHECK(closed == 0);
  }
  CHECK(closed == 1);
  CHECK(kept.use_count() == 1);
}

TEST_CASE("a component's overrides are those that it was given", "[I4]") {
  int closed = 0;
  const auto shared = std::make_shared<msgbus::provider>();
  component one(&closed, shared);
  one.override(get_stock, get_stock);
  CHECK_FALSE(shared->state().empty());
  one.restore(get_stock);
  CHECK(shared->state().empty());
  {
    const auto overridden = one.scoped_override(get_stock, get_stock);
    CHECK_FALSE(shared->state().empty());
  }
  CHECK(shared->state().empty());
}

TEST_CASE("a component holds one observer at a time, or none", "[D6]") {
  int closed = 0;
  component one(&closed, nullptr);
  const auto first = std::make_shared<msgbus_test::recorder>();
  const auto second = std::make_shared<msgbus_test::recorder>();
  one.observe(first);
  one.inside()->shared.attached_observer.get()->unrouted({});
  CHECK(first->steps.size() == 1);
  one.observe(second);
  one.inside()->shared.attached_observer.get()->unrouted({});
  CHECK(second->steps.size() == 1);
  CHECK(first.use_count() == 1);
  one.observe(nullptr);
  CHECK(one.inside()->shared.attached_observer.get() == nullptr);
  CHECK(second.use_count() == 1);
}

TEST_CASE("a component returns its core's count of unrouted messages", "[D3]") {
  int closed = 0;
  const component one(&closed, nullptr);
  one.inside()->shared.unrouted.add();
  CHECK(one.unrouted() == 1);
}

TEST_CASE("a fan-out base has an observer and a counter, and shuts its core down at its end",
          "[D3][D8]") {
  int closed = 0;
  {
    sending one(&closed);
    const auto observer = std::make_shared<msgbus_test::recorder>();
    one.observe(observer);
    one.inside()->attached_observer.get()->unrouted({});
    CHECK(observer->steps.size() == 1);
    one.observe(nullptr);
    CHECK(observer.use_count() == 1);
    one.inside()->unrouted.add();
    CHECK(one.unrouted() == 1);
    CHECK(closed == 0);
  }
  CHECK(closed == 1);
}

TEST_CASE("components and fan-out bases are neither copied nor moved") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<component>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<component>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<sending>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<sending>);
}

}  // namespace base_test
