#include <msgbus/async/dead_letters.hpp>

#include <msgbus/testing/cut_off.hpp>

#include "policy/running.hpp"

#include <optional>
#include <sstream>
#include <utility>

namespace dead_letters_test {

using asio::awaitable;
using msgbus::errc;
using msgbus::async::dead_letter;
using msgbus::async::dead_letter_options;
using msgbus::async::dead_letters;
using msgbus_test::code_of;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

namespace {

/// A consumer with one handler, which fails for some ids, and its letters.
struct failing : running {
  explicit failing(dead_letter_options options = {})
      : letters(std::make_shared<dead_letters>(std::move(options))) {
    events.handler(
        [this](const placed& event) {
          ran.push_back(event.id);
          if (event.id >= fails_from) throw std::runtime_error("no " + std::to_string(event.id));
        },
        {.retry = {.attempts = 2, .backoff = 1ms}, .dead_letters = letters});
  }
  void handle(int first, int last) {
    post(first, last);
    pass(1s);
  }
  std::size_t replay(std::function<bool(const dead_letter&)> which = {}) {
    return clock.run(context, letters->replay(std::move(which)));
  }
  std::vector<std::string> reasons() const {
    std::vector<std::string> all;
    for (const auto& each : letters->snapshot()) all.push_back(each.reason);
    return all;
  }

  std::shared_ptr<dead_letters> letters;
  std::vector<int> ran;
  int fails_from = 3;
};

}  // namespace

TEST_CASE("a message whose last attempt has failed becomes a letter", "[P8][P2]") {
  failing t;
  const auto before = std::chrono::system_clock::now();
  t.handle(1, 4);
  CHECK(t.ran == std::vector{1, 2, 3, 3, 4, 4});
  const auto all = t.letters->snapshot();
  REQUIRE(all.size() == 2);
  CHECK_THAT(all[0].message, msgbus_test::contains("placed"));
  CHECK_THAT(all[0].handler, msgbus_test::contains("handler of"));
  CHECK(all[0].reason == "no 3");
  CHECK(all[0].attempts == 2);
  CHECK(all[0].at >= before);
  CHECK(all[0].topic.empty());
  CHECK(all[1].id > all[0].id);
  CHECK(t.events.stats().failed == 2);
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("an awaited message becomes a dead letter too, and its sender gets the failure", "[P8]") {
  failing t;
  CHECK(msgbus_test::text_of([&] { t.consume(7); }) == "no 7");
  CHECK(t.reasons() == std::vector<std::string>{"no 7"});
  t.fails_from = 100;
  CHECK(t.replay() == 1);
  CHECK(t.ran == std::vector{7, 7, 7});
}

TEST_CASE("a replay goes to the handler that failed and to no other", "[P8]") {
  failing t;
  int others = 0;
  t.events.handler([&](const placed&) { ++others; });
  t.events.handler([&](const msgbus::any_event&) { ++others; });
  t.handle(3, 4);
  CHECK(others == 4);
  t.ran.clear();
  t.fails_from = 4;
  CHECK(t.replay() == 1);
  CHECK(t.ran == std::vector{3, 4, 4});  // fresh attempts
  CHECK(others == 4);
  CHECK(t.reasons() == std::vector<std::string>{"no 4"});
  CHECK(t.letters->stats().replayed == 2);
  CHECK(t.letters->stats().added == 3);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("only the letters that are asked for are replayed or discarded", "[P8]") {
  failing t;
  t.handle(3, 6);
  const auto is = [](const char* reason) {
    return [reason](const dead_letter& each) { return each.reason == reason; };
  };
  t.fails_from = 100;
  CHECK(t.replay(is("no 5")) == 1);
  CHECK(t.letters->discard(is("no 3")) == 1);
  CHECK(t.letters->discard(is("no 3")) == 0);
  CHECK(t.reasons() == std::vector<std::string>{"no 4", "no 6"});
  CHECK(t.letters->discard() == 2);
  CHECK(t.letters->size() == 0);
  CHECK(t.letters->stats().discarded == 3);
}

TEST_CASE("a letter that fails again is another letter, which the same replay leaves alone",
          "[P8]") {
  failing t;
  t.handle(3, 3);
  const auto first = t.letters->snapshot().at(0);
  CHECK(t.replay() == 0);
  REQUIRE(t.letters->size() == 1);
  CHECK(t.letters->snapshot().at(0).id != first.id);
  CHECK(t.letters->snapshot().at(0).attempts == 2);
}

TEST_CASE("a full store drops the oldest dead letter, or the new one", "[P8]") {
  SECTION("the oldest") {
    failing t({.capacity = 2});
    t.handle(3, 6);
    CHECK(t.reasons() == std::vector<std::string>{"no 5", "no 6"});
    CHECK(t.letters->stats().dropped == 2);
  }
  SECTION("what comes") {
    failing t({.capacity = 2, .on_full = msgbus::overflow::reject});
    t.handle(3, 6);
    CHECK(t.reasons() == std::vector<std::string>{"no 3", "no 4"});
    CHECK(t.letters->stats().dropped == 2);
    CHECK(t.letters->stats().added == 4);
  }
  SECTION("there is none without room for one") {
    CHECK(code_of([] { dead_letters({.capacity = 0}); }) == errc::bad_arguments);
  }
  SECTION("nobody makes room for those that would wait") {
    CHECK(code_of([] { dead_letters({.on_full = msgbus::overflow::suspend}); }) ==
          errc::unsupported);
  }
}

TEST_CASE("a callback gets each dead letter, and may throw") {
  std::vector<std::string> told;
  failing t({.on_add = [&](const dead_letter& added) {
    told.push_back(added.reason);
    throw std::logic_error("no more of this");
  }});
  t.handle(3, 4);
  CHECK(told == std::vector<std::string>{"no 3", "no 4"});
  CHECK(t.letters->size() == 2);
}

TEST_CASE("a letter whose handler or component has gone stays", "[P8]") {
  const auto letters = std::make_shared<dead_letters>();
  running t;
  auto handler = t.events.handler([](const placed&) { throw std::runtime_error("down"); },
                                  {.dead_letters = letters});
  t.post(1, 1);
  t.context.run();
  handler.cancel();
  t.events.handler([](const placed&) {});
  CHECK(t.clock.run(t.context, letters->replay()) == 0);
  CHECK(letters->size() == 1);
  CHECK(t.events.stats().unrouted == 0);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
  t.events.close();
  CHECK(t.clock.run(t.context, letters->replay()) == 0);
  CHECK(letters->size() == 1);
  CHECK(letters->discard() == 1);
}

TEST_CASE("letters outlive their component", "[P8][A12]") {
  const auto letters = std::make_shared<dead_letters>();
  {
    running t;
    t.events.handler([](const placed&) { throw std::runtime_error("down"); },
                     {.dead_letters = letters});
    t.post(1, 1);
    CHECK_THROWS(t.consume());
    t.context.run();
  }
  CHECK(letters->size() == 2);
  running t;
  CHECK(t.clock.run(t.context, letters->replay()) == 0);
  CHECK(letters->size() == 2);
}

TEST_CASE("letters and their component do not keep each other", "[A12]") {
  std::weak_ptr<dead_letters> seen;
  {
    const auto letters = std::make_shared<dead_letters>();
    seen = letters;
    running t;
    t.events.handler([](const placed&) { throw std::runtime_error("down"); },
                     {.dead_letters = letters});
    t.post(1, 1);
    CHECK_THROWS(t.consume());
    CHECK(letters->size() == 2);
  }
  CHECK(seen.expired());
}

TEST_CASE("a cancelled message is no dead letter", "[P8]") {
  running t;
  const auto letters = std::make_shared<dead_letters>();
  t.events.handler([](const placed&) { return msgbus::exec::sleep(1h); },
                   {.dead_letters = letters});
  t.post(1, 2);
  t.context.run();
  CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 2);
  CHECK(letters->stats().added == 0);
}

TEST_CASE("a replay that is cancelled keeps its letter", "[P8][A9]") {
  running t;
  const auto letters = std::make_shared<dead_letters>();
  bool fails = true;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        if (fails) throw std::runtime_error("down");
        co_await msgbus::exec::sleep(1h);
      },
      {.dead_letters = letters});
  t.post(1, 1);
  t.context.run();
  fails = false;
  auto replay = t.context.spawn(letters->replay());
  t.context.run();
  CHECK(letters->discard() == 0);  // it is on its way
  replay.cancel();
  t.context.run();
  CHECK(replay.done());
  CHECK_THROWS(replay.get());
  CHECK(letters->size() == 1);
  CHECK(letters->stats().replayed == 0);
  CHECK(t.events.stats().abandoned == 1);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("a message on a topic keeps its topic", "[P8]") {
  running t;
  msgbus::async::subscriber inbox(t.context.get_executor());
  const auto letters = std::make_shared<dead_letters>();
  std::vector<std::string> topics;
  inbox.subscribe("orders.*",
                  [&](const placed&, const msgbus::context& known) {
                    topics.emplace_back(known.topic());
                    if (topics.size() == 1) throw std::runtime_error("down");
                  },
                  {.dead_letters = letters});
  inbox.subscribe("orders.new", [&](const placed&) { topics.emplace_back("another"); });
  (void)inbox.post(placed{1}, "orders.new");
  t.context.run();
  CHECK(letters->snapshot().at(0).topic == "orders.new");
  CHECK(t.clock.run(t.context, letters->replay()) == 1);
  CHECK(topics == std::vector<std::string>{"orders.new", "another", "orders.new"});
}

TEST_CASE("an operation has neither dead letters nor deduplication") {
  running t;
  msgbus::async::service service(t.context.get_executor());
  CHECK(code_of([&] {
          service.handler("f", [] {}, {.dead_letters = std::make_shared<dead_letters>()});
        }) == errc::unsupported);
  CHECK(code_of([&] { service.handler("f", [] {}, {.deduplicate = {.window = 1s}}); }) ==
        errc::unsupported);
}

TEST_CASE("torn down after each step of a replay, no letter is lost or twice there", "[P8][A12]") {
  struct world {
    explicit world(msgbus::testing::stepping_context& in)
        : clock(in), events(in.get_executor()), context(in) {
      events.handler(
          [runs = runs](const placed&) -> awaitable<void> {
            if (++*runs <= 2) throw std::runtime_error("down");
            co_await msgbus::exec::sleep(1s);
          },
          {.dead_letters = letters});
      (void)events.post(placed{1});
      (void)events.post(placed{2});
    }
    ~world() {
      const auto all = letters->stats();
      CHECK(all.added == all.replayed + all.discarded + all.dropped + letters->size());
    }
    bool when_idle() {
      if (clock.advance_to_next()) return true;
      if (std::exchange(replayed, true)) return false;
      replay.emplace(context.spawn(letters->replay()));
      return true;
    }
    msgbus::testing::manual_clock clock;
    std::shared_ptr<int> runs = std::make_shared<int>(0);
    std::shared_ptr<dead_letters> letters = std::make_shared<dead_letters>();
    msgbus::async::consumer events;
    bool replayed = false;
    msgbus::testing::stepping_context& context;
    std::optional<msgbus::testing::spawned<std::size_t>> replay;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](msgbus::testing::stepping_context& context) { return std::make_unique<world>(context); });
  CHECK(report.steps > 5);
}

TEST_CASE("a default policy holds where a handler's own says nothing") {
  running t;
  int runs = 0;
  const auto count = [&](const placed&) {
    ++runs;
    throw std::runtime_error("down");
  };
  auto before = t.events.handler(count);
  t.events.default_policy({.retry = {.attempts = 3, .backoff = 1ms}});
  CHECK_THROWS(t.consume());
  CHECK(runs == 1);
  before.cancel();
  auto with_default = t.events.handler(count);
  CHECK_THROWS(t.consume());
  CHECK(runs == 4);
  with_default.cancel();
  t.events.handler(count, {.timeout = 1s, .retry = {.attempts = 2, .backoff = 1ms}});
  CHECK_THROWS(t.consume());
  CHECK(runs == 6);
  CHECK(code_of([&] { t.events.default_policy({.executor = t.context.get_executor()}); }) ==
        errc::unsupported);
}

TEST_CASE("the counters of dead letters are printed with their members") {
  std::ostringstream out;
  out << msgbus::async::dead_letter_counters{.added = 3, .replayed = 2, .dropped = 1};
  CHECK(out.str() ==
        "dead_letter_counters{.added = 3, .replayed = 2, .discarded = 0, .dropped = 1}");
}

}  // namespace dead_letters_test
