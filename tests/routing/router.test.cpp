#include <msgbus/detail/routing/router.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

#include <stdexcept>
#include <vector>

namespace router_test {

namespace {

using msgbus::routing::entry;
using msgbus::routing::guard;
using msgbus::routing::retire_list;
using msgbus::routing::router;

using bare_entry = msgbus_test::bare<entry>;

// A router with a plain list of entries.
class listing_router : public router {
 public:
  template <class Make>
  auto attach_made(Make make) {
    const auto link = [this](entry& added, retire_list&) { all.push_back(&added); };
    return std::static_pointer_cast<made_by<Make>>(router::attach(make, link));
  }

  std::shared_ptr<bare_entry> attach(int* destroyed) {
    return attach_made(
        [&](std::uint64_t order) { return std::make_shared<bare_entry>(destroyed, order); });
  }

  std::vector<const entry*> all;

 private:
  void unlink(entry& removed, retire_list&) noexcept override { std::erase(all, &removed); }
};

}  // namespace

TEST_CASE("entries are numbered in the order in which they are attached", "[D1]") {
  const auto routes = std::make_shared<listing_router>();
  const auto first = routes->attach(nullptr);
  const auto second = routes->attach(nullptr);
  CHECK(first->order() < second->order());
  CHECK(routes->all == std::vector<const entry*>{first.get(), second.get()});
}

TEST_CASE("an attached entry lives without another owner") {
  const auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const std::weak_ptr<entry> watch = routes->attach(&destroyed);
  CHECK_FALSE(watch.expired());
  CHECK(destroyed == 0);
}

TEST_CASE("a detached entry is not in the routes, and its callable is destroyed once", "[D6]") {
  const auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto attached = routes->attach(&destroyed);
  router::detach(*attached);
  CHECK_FALSE(attached->active());
  CHECK(routes->all.empty());
  CHECK(destroyed == 1);
  router::detach(*attached);
  router::detach_later(*attached);
  CHECK(destroyed == 1);
}

TEST_CASE("detaching one entry keeps the others", "[D4]") {
  const auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto first = routes->attach(&destroyed);
  const auto second = routes->attach(&destroyed);
  const auto third = routes->attach(&destroyed);
  router::detach(*second);
  CHECK(destroyed == 1);
  CHECK(first->active());
  CHECK(third->active());
  CHECK(routes->all == std::vector<const entry*>{first.get(), third.get()});
}

TEST_CASE("a callable that may be running is destroyed after its last call", "[D6]") {
  const auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto attached = routes->attach(&destroyed);
  {
    const guard outer(routes->guarded());
    {
      const guard inner(routes->guarded());
      router::detach(*attached);
      CHECK_FALSE(attached->active());
    }
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 1);
}

TEST_CASE("detach_later does not wait", "[D6]") {
  const auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto attached = routes->attach(&destroyed);
  {
    const guard dispatching(routes->guarded());
    router::detach_later(*attached);
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 1);
}

TEST_CASE("a callable is not kept by a dispatch of another component", "[D6]") {
  const auto routes = std::make_shared<listing_router>();
  const auto others = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto attached = routes->attach(&destroyed);
  const guard dispatching(others->guarded());
  router::detach(*attached);
  CHECK(destroyed == 1);
}

TEST_CASE("an entry that cannot be made changes nothing", "[D4]") {
  const auto routes = std::make_shared<listing_router>();
  const auto before = routes->attach(nullptr);
  CHECK_THROWS_AS(routes->attach_made([](std::uint64_t) -> std::shared_ptr<bare_entry> {
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK(routes->all.size() == 1);
  const auto after = routes->attach(nullptr);
  CHECK(after->order() > before->order());
}

TEST_CASE("shutdown detaches all entries", "[D8]") {
  auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto first = routes->attach(&destroyed);
  const auto second = routes->attach(&destroyed);
  router::detach(*first);
  routes->shutdown();
  CHECK(destroyed == 2);
  CHECK_FALSE(second->active());
  routes->shutdown();
  CHECK(destroyed == 2);
  routes.reset();
  CHECK(destroyed == 2);
}

TEST_CASE("a router that is shut down during a dispatch lives until the dispatch has ended",
          "[D8]") {
  auto routes = std::make_shared<listing_router>();
  const std::weak_ptr<router> watch = routes;
  int destroyed = 0;
  const auto attached = routes->attach(&destroyed);
  {
    const guard dispatching(routes->guarded());
    routes->shutdown();
    routes.reset();
    CHECK_FALSE(watch.expired());
    CHECK_FALSE(attached->active());
    CHECK(destroyed == 0);
  }
  CHECK(destroyed == 1);
  CHECK(watch.expired());
}

TEST_CASE("an entry may be detached after its router was destroyed", "[D8]") {
  auto routes = std::make_shared<listing_router>();
  int destroyed = 0;
  const auto attached = routes->attach(&destroyed);
  routes->shutdown();
  routes.reset();
  router::detach(*attached);
  router::detach_later(*attached);
  CHECK(destroyed == 1);
}

}  // namespace router_test

namespace single_route_test {

namespace {

using msgbus::routing::entry;
using msgbus::routing::handler_range;
using msgbus::routing::router;
using msgbus::routing::single_route;

using bare_entry = msgbus_test::bare<entry>;

std::shared_ptr<bare_entry> attach(single_route& to) {
  return to.attach(
      nullptr, [](std::uint64_t order) { return std::make_shared<bare_entry>(nullptr, order); });
}

std::vector<const entry*> entries_of(const single_route& of) {
  const msgbus::routing::guard guard(of.guarded());
  std::vector<const entry*> all;
  const handler_range list(of.entries());
  for (const auto* each = list.begin; each != list.end; ++each) all.push_back(each->entry);
  return all;
}

using entries = std::vector<const entry*>;

}  // namespace

TEST_CASE("bound targets are listed in the order of binding", "[D1]") {
  const auto all = std::make_shared<single_route>();
  CHECK(all->entries() == nullptr);
  const auto first = attach(*all);
  const auto second = attach(*all);
  CHECK(entries_of(*all) == entries{first.get(), second.get()});
}

TEST_CASE("an unbound target is not listed, and comes last when it is bound again", "[D1]") {
  const auto all = std::make_shared<single_route>();
  const auto first = attach(*all);
  const auto second = attach(*all);
  router::detach(*first);
  CHECK(entries_of(*all) == entries{second.get()});
  const auto again = attach(*all);
  CHECK(entries_of(*all) == entries{second.get(), again.get()});
}

TEST_CASE("each entry of a range has its call") {
  const auto all = std::make_shared<single_route>();
  void (*const call)() = [] {};
  all->attach(call,
              [](std::uint64_t order) { return std::make_shared<bare_entry>(nullptr, order); });
  const msgbus::routing::guard guard(all->guarded());
  CHECK(all->entries()->begin()->call == call);
}

}  // namespace single_route_test
