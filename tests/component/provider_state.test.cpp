#include <msgbus/detail/component/provider_state.hpp>

#include "support/catch.hpp"

namespace provider_state_test {

namespace component = msgbus::component;

namespace {

const int dependency = 0;
const int another = 0;
int alive = 0;

struct fake : component::implementation {
  fake() : implementation({}, {}) { ++alive; }
  ~fake() override { --alive; }
  void provide(component::scope&, const component::dependency_info&,
               component::continuation) override {}
  void* entity() noexcept override { return this; }
};

/// Adds a fake implementation. Returns it, with its ticket.
std::pair<component::implementation*, std::uint64_t> add(component::provider_state& to,
                                                         bool lasting) {
  auto made = std::make_unique<fake>();
  component::implementation* const which = made.get();
  const auto ticket =
      to.add(&dependency, std::move(made), {lasting, "int", std::source_location::current()});
  return {which, ticket};
}

}  // namespace

TEST_CASE("without overrides a provider is empty and finds nothing", "[I4]") {
  const component::provider_state state;
  CHECK(state.empty());
  CHECK(state.find(&dependency) == nullptr);
}

TEST_CASE("the latest override is found", "[I4]") {
  alive = 0;
  {
    component::provider_state state;
    const auto lasting = add(state, true);
    CHECK(state.find(&dependency) == lasting.first);
    CHECK(state.find(&another) == nullptr);
    const auto scoped = add(state, false);
    CHECK(state.find(&dependency) == scoped.first);
    state.remove(&dependency, scoped.second);
    CHECK(state.find(&dependency) == lasting.first);
    CHECK(alive == 1);
    CHECK_FALSE(state.empty());
  }
  CHECK(alive == 0);
}

TEST_CASE("a lasting override replaces the last lasting one, wherever it is", "[I4]") {
  alive = 0;
  component::provider_state state;
  add(state, true);
  const auto scoped = add(state, false);
  const auto lasting = add(state, true);
  CHECK(alive == 2);
  CHECK(state.find(&dependency) == lasting.first);
  state.remove(&dependency, scoped.second);
  CHECK(state.find(&dependency) == lasting.first);
  CHECK(alive == 1);
}

TEST_CASE("removing all overrides empties the provider, and a second removal has no effect",
          "[I4]") {
  alive = 0;
  component::provider_state state;
  const auto first = add(state, false);
  add(state, true);
  state.remove(&dependency);
  CHECK(state.empty());
  CHECK(state.find(&dependency) == nullptr);
  CHECK(alive == 0);
  state.remove(&dependency);
  state.remove(&dependency, first.second);
  state.remove(&another);
  CHECK(state.empty());
}

TEST_CASE("a removed override lives as long as an invocation that may use it", "[I4][I2]") {
  alive = 0;
  component::provider_state state;
  add(state, true);
  {
    const msgbus::routing::guard guard(state.guarded());
    state.remove(&dependency);
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}

TEST_CASE("repeated lasting overrides do not accumulate", "[I4]") {
  alive = 0;
  component::provider_state state;
  for (int i = 0; i < 100; ++i) add(state, true);
  CHECK(alive == 1);
}

}  // namespace provider_state_test
