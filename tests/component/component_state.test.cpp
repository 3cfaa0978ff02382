#include <msgbus/detail/component/component_state.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

#include <msgbus/provider.hpp>

namespace component_state_test {

namespace {

using msgbus::provider;
using msgbus::component::component_state;
using msgbus::component::describe_entry;

int& get_stock() {
  static int stock = 1;
  return stock;
}

}  // namespace

TEST_CASE("component_state share given overrides", "[I4]") {
  const auto shared = std::make_shared<provider>();
  const component_state one(shared);
  const component_state other(shared);
  CHECK(&one.overrides_state() == &shared->state());
  CHECK(&other.overrides_state() == &one.overrides_state());
}

TEST_CASE("component_state without given overrides have their own", "[I4]") {
  component_state one(nullptr);
  const component_state other(nullptr);
  CHECK(one.overrides_state().empty());
  one.overrides().override(get_stock, get_stock);
  CHECK_FALSE(one.overrides_state().empty());
  CHECK(other.overrides_state().empty());
}

TEST_CASE("component_state begin without an observer, and without unrouted messages", "[D3]") {
  msgbus::component::counted_component_state all(nullptr);
  CHECK(all.attached_observer.get() == nullptr);
  CHECK(all.unrouted.sum() == 0);
  all.unrouted.add();
  CHECK(all.unrouted.sum() == 1);
}

TEST_CASE("describe_entry returns the entry's own description") {
  const msgbus_test::bare<msgbus::routing::entry> one(nullptr, std::uint64_t{1});
  const msgbus::routing::entry& known = one;
  CHECK(describe_entry(&known) == "bare");
}

}  // namespace component_state_test
