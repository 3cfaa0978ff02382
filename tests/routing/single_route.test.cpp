#include <msgbus/routing/single_route.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

#include <vector>

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
  const msgbus::snapshot::guard guard(of.guarded());
  std::vector<const entry*> all;
  const handler_range list(of.entries());
  for (const auto* each = list.begin; each != list.end; ++each) all.push_back(each->entry);
  return all;
}

using entries = std::vector<const entry*>;

}  // namespace

TEST_CASE("what is bound is listed in the order of binding", "[D1]") {
  const auto all = std::make_shared<single_route>();
  CHECK(all->entries() == nullptr);
  const auto first = attach(*all);
  const auto second = attach(*all);
  CHECK(entries_of(*all) == entries{first.get(), second.get()});
}

TEST_CASE("what is unbound is not listed, and comes last when it is bound again", "[D1]") {
  const auto all = std::make_shared<single_route>();
  const auto first = attach(*all);
  const auto second = attach(*all);
  router::detach(*first);
  CHECK(entries_of(*all) == entries{second.get()});
  const auto again = attach(*all);
  CHECK(entries_of(*all) == entries{second.get(), again.get()});
}

TEST_CASE("each item is handler_range with its call") {
  const auto all = std::make_shared<single_route>();
  void (*const call)() = [] {};
  all->attach(call,
              [](std::uint64_t order) { return std::make_shared<bare_entry>(nullptr, order); });
  const msgbus::snapshot::guard guard(all->guarded());
  CHECK(all->entries()->begin()->call == call);
}

}  // namespace single_route_test
