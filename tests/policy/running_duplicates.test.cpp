// Handlers that see each message once.

#include "policy/running.hpp"

#include <msgbus/detail/async/verbs.hpp>

#include <utility>

namespace running_duplicates_test {

using asio::awaitable;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

namespace {

std::string id_of(const msgbus::any_event& event) {
  return std::to_string(event.get_if<placed>()->id);
}

/// A message that has come from another process.
class received final : public msgbus::exec::queued_message,
                       public std::enable_shared_from_this<received> {
 public:
  received(int id, std::string message_id)
      : event_{id},
        origin_(
            std::make_shared<msgbus::origin>(msgbus::origin{.message_id = std::move(message_id)})) {
  }
  [[nodiscard]] msgbus::exec::message_head head() const noexcept override {
    return {msgbus::detail::value_ref::to(event_), {}, &origin_, true};
  }
  [[nodiscard]] msgbus::exec::shared_message share() override { return shared_from_this(); }

 private:
  const placed event_;
  const msgbus::detail::shared_origin origin_;
};

void receive(msgbus::async::consumer& to, int id, std::string message_id) {
  msgbus::exec::send_operation out(std::make_shared<received>(id, std::move(message_id)));
  REQUIRE(msgbus::async::detail::offer(*msgbus::component::core_access::of(to), out) ==
          msgbus::exec::put::taken);
}

}  // namespace

TEST_CASE("a message that comes twice is handled once, and counts as handled twice", "[P2]") {
  running t;
  std::vector<int> ran;
  t.events.handler([&](const placed& event) { ran.push_back(event.id); },
                   {.deduplicate = {.window = 10s, .key = id_of}});
  for (const int id : {1, 2, 1, 1, 2, 3}) (void)t.events.post(placed{id});
  t.context.run();
  CHECK(ran == std::vector{1, 2, 3});
  CHECK(t.events.stats().handled == 6);
  t.clock.advance(10s);
  CHECK(t.consume(1) == 1);
  CHECK(ran == std::vector{1, 2, 3, 1});
}

TEST_CASE("a message without a key is no duplicate of anything") {
  running t;
  int runs = 0;
  t.events.handler([&](const placed&) { ++runs; }, {.deduplicate = {.window = 10s}});
  t.post(1, 3);
  t.context.run();
  CHECK(runs == 3);
}

TEST_CASE("the same message id is a duplicate, and what was sent again with a new id is none") {
  running t;
  std::vector<std::string> ran;
  t.events.handler(
      [&](const placed& event, const msgbus::context& known) {
        ran.push_back(std::to_string(event.id) + std::string(known.message_id()));
      },
      {.deduplicate = {.window = 10s}});
  receive(t.events, 1, "a");
  receive(t.events, 1, "a");  // a redelivery
  receive(t.events, 1, "b");  // sent again on purpose
  t.context.run();
  CHECK(ran == std::vector<std::string>{"1a", "1b"});
  CHECK(t.events.stats().handled == 3);
}

TEST_CASE("a twin waits for the outcome of the first") {
  running t({.concurrency = 3});
  msgbus_test::gate open;
  int runs = 0;
  bool fails = false;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        ++runs;
        co_await open.wait();
        if (std::exchange(fails, false)) throw std::runtime_error("down");
      },
      {.deduplicate = {.window = 10s, .key = id_of}});
  for (int i = 0; i < 3; ++i) (void)t.events.post(placed{1});
  t.context.run();
  CHECK(runs == 1);
  SECTION("it is handled: so are they") {
    open.open();
    t.context.run();
    CHECK(runs == 1);
    CHECK(t.events.stats().handled == 3);
  }
  SECTION("it fails: one of them runs in its place") {
    fails = true;
    open.open();
    t.context.run();
    CHECK(runs == 2);
    CHECK(t.events.stats().failed == 1);
    CHECK(t.events.stats().handled == 2);
  }
  SECTION("all are cancelled") {
    CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 3);
    CHECK(runs == 1);
    CHECK(msgbus_test::is_conserved(t.events.stats()));
  }
}

TEST_CASE("a key that is in flight goes with its cancelled handler and its context", "[A12]") {
  const bool elsewhere = GENERATE(true, false);
  auto kept = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = kept;
  {
    running t;
    msgbus::policy how{
        .retry = {.attempts = 2},
        .deduplicate = {.window = 1h, .key = [kept = std::move(kept)](const msgbus::any_event& e) {
                          return id_of(e);
                        }}};
    if (elsewhere) how.executor = t.context.get_executor();
    int runs = 0;
    auto handler = t.events.handler(
        [&](const placed&) -> awaitable<void> {
          if (++runs == 1 && !elsewhere) throw std::runtime_error("down");
          co_await msgbus::exec::sleep(1h);
        },
        std::move(how));
    t.post(1, 1);
    t.pass(1s);
    handler.cancel();
    CHECK_FALSE(seen.expired());  // it still runs
  }
  CHECK(seen.expired());
}

TEST_CASE("a key function that throws fails its message") {
  running t;
  t.events.handler(
      [](const placed&) {},
      {.deduplicate = {.window = 10s, .key = [](const msgbus::any_event&) -> std::string {
                         throw std::logic_error("no key");
                       }}});
  CHECK(msgbus_test::text_of([&] { t.consume(); }) == "no key");
  CHECK(t.events.stats().failed == 1);
}

}  // namespace running_duplicates_test
