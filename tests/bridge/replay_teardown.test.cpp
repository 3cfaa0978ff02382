// A context that ends while dead letters are replayed (A12).

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/dead_letters.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/shop.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace replay_teardown_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::testing::manual_clock;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

namespace {

/// A message becomes a dead letter, whose first replay fails, and whose second one does not.
struct replaying {
  explicit replaying(stepping_context& in)
      : clock(in),
        process(broker.connect(in.get_executor()), quiet()),
        person(broker.connect(in.get_executor()), quiet()),
        to(in.get_executor()) {
    to.observe(std::make_shared<msgbus::observer>());
    const auto made = std::make_shared<int>(1);
    there = made;
    to.subscribe("orders.*", [this, made](int) -> awaitable<void> {
      co_await msgbus_test::hop();
      if (++runs < 4) throw std::runtime_error("poison");
    });
    all.emplace(in.spawn(run()));
  }

  static msgbus::bridge_options quiet() {
    return {.on_failure = [](std::string_view, const std::exception_ptr&) {}};
  }

  awaitable<void> make_stream(std::string name, std::string topic) {
    msgbus::transport::stream_options stream;
    stream.name = std::move(name);
    stream.topics.push_back(std::move(topic));
    auto making = person.ensure_stream(std::move(stream));
    co_await std::move(making);
  }

  awaitable<void> run() {
    co_await make_stream("ORDERS", "orders.>");
    co_await make_stream("DEAD", "dead.>");
    msgbus::durable_options how = msgbus_test::billing();
    how.max_deliver = 2;
    auto joining = process.durable<int>(to, "orders.>", std::move(how));
    const msgbus::bridge_link link = co_await std::move(joining);
    auto storing = person.store(13, "orders.placed");
    (void)co_await std::move(storing);
    const msgbus::bridge_dead_letters letters = person.dead_letters("DEAD");
    while (link.stats().dead_lettered == 0) co_await msgbus::exec::sleep(10ms);
    for (int i = 0; i < 2; ++i) {
      auto replay = letters.replay();
      handled += co_await std::move(replay);
    }
  }
  bool when_idle() { return !all->done() && clock.advance_to_next(); }

  manual_clock clock;
  msgbus::memory_broker broker;
  bridge process, person;
  msgbus::async::subscriber to;
  std::weak_ptr<int> there;
  int runs = 0;
  std::size_t handled = 0;
  std::optional<spawned<void>> all;
};

}  // namespace

TEST_CASE("the scenario replays a letter twice") {
  stepping_context context;
  replaying scenario(context);
  while (!context.run_until([&] { return scenario.all->done(); }) && scenario.when_idle()) {
  }
  scenario.all->get();
  CHECK(scenario.runs == 4);
  CHECK(scenario.handled == 1);
}

TEST_CASE("a replay is torn down at any step, and leaves nothing", "[A12][P8]") {
  for (const auto& shuffle : {std::optional<shuffled>(), std::optional(shuffled{1})}) {
    std::weak_ptr<int> there;
    const auto report = msgbus::testing::cut_off_at_every_step(
        [&](stepping_context& context) {
          CHECK(there.expired());
          auto made = std::make_unique<replaying>(context);
          there = made->there;
          return made;
        },
        {.order = msgbus::testing::teardown::both, .shuffle = shuffle});
    CHECK(report.steps > 30);
    CHECK(there.expired());
  }
}

}  // namespace replay_teardown_test
