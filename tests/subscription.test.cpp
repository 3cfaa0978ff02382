#include <msgbus/subscription.hpp>

#include <msgbus/detail/routing/router.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

namespace subscription_test {

namespace {

using msgbus::scoped_subscription;
using msgbus::subscription;
using msgbus::routing::entry;
using msgbus::routing::single_route;

using bare_entry = msgbus_test::bare<entry>;

struct handlers {
  subscription add() {
    return subscription(all->attach(nullptr, [&](std::uint64_t order) {
      return std::make_shared<bare_entry>(&destroyed, order);
    }));
  }
  std::shared_ptr<single_route> all = std::make_shared<single_route>();
  int destroyed = 0;
};

}  // namespace

TEST_CASE("a default-constructed subscription is inactive, and its cancellation has no effect") {
  subscription none;
  CHECK_FALSE(none.active());
  none.cancel();
  CHECK_FALSE(none.active());
  scoped_subscription scoped;
  CHECK_FALSE(scoped.active());
  scoped.cancel();
}

TEST_CASE("destroying a subscription keeps its handler attached") {
  handlers some;
  subscription other;
  {
    const subscription dropped = some.add();
    other = dropped;
  }
  CHECK(other.active());
  CHECK(some.destroyed == 0);
}

TEST_CASE("copies of a subscription refer to the same handler", "[D6]") {
  handlers some;
  subscription first = some.add();
  subscription second = first;
  second.cancel();
  CHECK_FALSE(first.active());
  CHECK(some.destroyed == 1);
  first.cancel();
  CHECK(some.destroyed == 1);
}

TEST_CASE("a moved subscription still refers to its handler") {
  handlers some;
  subscription first = some.add();
  subscription second = std::move(first);
  CHECK(second.active());
  second.cancel();
  CHECK(some.destroyed == 1);
}

TEST_CASE("a subscription is inactive after its component was destroyed", "[D8]") {
  handlers some;
  subscription kept = some.add();
  some.all->shutdown();
  some.all.reset();
  CHECK_FALSE(kept.active());
  CHECK(some.destroyed == 1);
  kept.cancel();
  CHECK(some.destroyed == 1);
}

TEST_CASE("a scoped subscription cancels at the end of its scope", "[D6]") {
  handlers some;
  const subscription watch = some.add();
  {
    const scoped_subscription scoped = watch;
    CHECK(scoped.active());
  }
  CHECK_FALSE(watch.active());
  CHECK(some.destroyed == 1);
}

TEST_CASE("a scoped subscription may be cancelled before its end", "[D6]") {
  handlers some;
  scoped_subscription scoped = some.add();
  scoped.cancel();
  CHECK_FALSE(scoped.active());
  CHECK(some.destroyed == 1);
}

TEST_CASE("a moved scoped subscription cancels once, at the end of the new one", "[D6]") {
  handlers some;
  const subscription watch = some.add();
  {
    scoped_subscription outer;
    {
      scoped_subscription inner = watch;
      outer = std::move(inner);
    }
    CHECK(watch.active());
    const scoped_subscription last = std::move(outer);
    CHECK(last.active());
  }
  CHECK(some.destroyed == 1);
}

TEST_CASE("assignment to a scoped subscription cancels the previous subscription", "[D6]") {
  handlers some;
  const subscription first = some.add();
  const subscription second = some.add();
  scoped_subscription scoped = first;
  scoped = scoped_subscription(second);
  CHECK_FALSE(first.active());
  CHECK(second.active());
  scoped = some.add();
  CHECK_FALSE(second.active());
  CHECK(scoped.active());
  CHECK(some.destroyed == 2);
}

TEST_CASE("assigning a scoped subscription to itself changes nothing", "[D6]") {
  handlers some;
  scoped_subscription scoped = some.add();
  scoped_subscription& same = scoped;
  scoped = std::move(same);
  CHECK(scoped.active());
}

TEST_CASE("a released subscription is not cancelled") {
  handlers some;
  subscription kept;
  {
    scoped_subscription scoped = some.add();
    kept = scoped.release();
    CHECK_FALSE(scoped.active());
  }
  CHECK(kept.active());
}

TEST_CASE("a scoped subscription is constructible from every kind of subscription") {
  struct handle {
    subscription inner;
    operator subscription() const noexcept { return inner; }
  };
  handlers some;
  const handle given{some.add()};
  {
    const scoped_subscription scoped = given;
    CHECK(scoped.active());
  }
  CHECK_FALSE(given.inner.active());
  STATIC_REQUIRE_FALSE(std::is_constructible_v<scoped_subscription, int>);
}

TEST_CASE("a scoped subscription is not copied") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<scoped_subscription>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<scoped_subscription>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<scoped_subscription>);
}

}  // namespace subscription_test
