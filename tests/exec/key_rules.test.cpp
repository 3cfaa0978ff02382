#include <msgbus/detail/exec/key_rules.hpp>

#include "support/catch.hpp"

#include <memory>
#include <stdexcept>

namespace key_rules_test {

using msgbus::detail::value_ref;
using msgbus::exec::key_rule_by;
using msgbus::exec::key_rules;
using msgbus::exec::keyed_ptr;

namespace {

struct order {
  int account;
};
struct other {};

template <class M, class F>
std::shared_ptr<const msgbus::exec::key_rule> rule(F f) {
  return std::make_shared<const key_rule_by<M, F>>(std::move(f));
}

}  // namespace

TEST_CASE("without rules a message has no key", "[P5]") {
  const key_rules rules;
  const order message{1};
  CHECK_FALSE(rules.has_any());
  CHECK(rules.key(value_ref::to(message), "") == nullptr);
}

TEST_CASE("a later rule for a type replaces the earlier one", "[P5]") {
  const msgbus::routing::domain guarded;
  key_rules rules;
  const order one{1}, two{2};
  rules.add(guarded, rule<order>([](const order& o) { return o.account; }));
  CHECK_FALSE(rules.key(value_ref::to(one), "")->is_same_key(*rules.key(value_ref::to(two), "")));
  rules.add(guarded, rule<order>([](const order&) { return 0; }));
  CHECK(rules.key(value_ref::to(one), "")->is_same_key(*rules.key(value_ref::to(two), "")));
}

TEST_CASE("a message whose key function throws has the key of its type, and the failure", "[P5]") {
  const msgbus::routing::domain guarded;
  key_rules rules;
  const order message{1};
  rules.add(guarded, rule<order>([](const order&) -> int { throw std::runtime_error("none"); }));
  const keyed_ptr made = rules.key(value_ref::to(message), "");
  REQUIRE(made);
  CHECK(made->failure);
  const other unruled;
  CHECK_FALSE(rules.key(value_ref::to(unruled), "")->failure);
}

TEST_CASE("cleared rules are destroyed, and no later one is taken", "[P5]") {
  const msgbus::routing::domain guarded;
  key_rules rules;
  const auto held = std::make_shared<int>(1);
  rules.add(guarded, rule<order>([held](const order&) { return *held; }));
  CHECK(held.use_count() == 2);
  rules.clear(guarded);
  CHECK(held.use_count() == 1);
  rules.add(guarded, rule<order>([](const order&) { return 1; }));
  CHECK_FALSE(rules.has_any());
}

}  // namespace key_rules_test
