#include "transport/memory_router.hpp"

#include "support/catch.hpp"

#include <vector>

namespace memory_router_test {

using msgbus::transport::memory::memory_router;
using ids = std::vector<memory_router::subscription_id>;

namespace {
const auto everybody = [](memory_router::connection_id) { return true; };
}  // namespace

TEST_CASE("a topic finds the subscriptions that match, in order") {
  memory_router router;
  router.add(1, 10, "a.*", "");
  router.add(2, 10, "a.b", "");
  router.add(3, 20, "b", "");
  CHECK(router.route("a.b", everybody) == ids{1, 2});
  CHECK(router.route("a.c", everybody) == ids{1});
  CHECK(router.route("c", everybody).empty());
  router.remove(1);
  router.remove(1);
  CHECK(router.route("a.b", everybody) == ids{2});
}

TEST_CASE("one member of a group gets each message, in turn, with any patterns") {
  memory_router router;
  router.add(1, 10, "a.*", "g");
  router.add(2, 20, "a.b", "g");
  router.add(3, 20, "a.b", "h");
  router.add(4, 20, "a.b", "");
  CHECK(router.route("a.b", everybody) == ids{4, 1, 3});
  CHECK(router.route("a.b", everybody) == ids{4, 2, 3});
  CHECK(router.route("a.b", everybody) == ids{4, 1, 3});
  CHECK(router.route("a.c", everybody) == ids{1});
}

TEST_CASE("a message of a group goes to members that may get it") {
  memory_router router;
  router.add(1, 10, "a", "g");
  router.add(2, 20, "a", "g");
  const auto not_10 = [](memory_router::connection_id who) { return who != 10; };
  CHECK(router.route("a", not_10) == ids{2});
  CHECK(router.route("a", not_10) == ids{2});
  router.remove(2);
  CHECK(router.route("a", not_10).empty());
  router.remove(1);
  CHECK(router.route("a", everybody).empty());
}

}  // namespace memory_router_test
