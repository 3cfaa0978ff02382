#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <set>

namespace nats_store_test {

using namespace msgbus_test;
using msgbus::errc;

namespace {

// Stores every `step`th number from `first` to `last`; returns the sequence numbers.
asio::awaitable<std::vector<std::uint64_t>> store_some(transport_ptr at, std::string topic,
                                                       int first, int last, int step) {
  std::vector<std::uint64_t> sequences;
  for (int i = first; i < last; i += step) {
    msgbus::envelope message = numbered_message(topic, i);
    const auto done = co_await at->store(std::move(message), time_limit);
    sequences.push_back(done.sequence);
  }
  co_return sequences;
}

}  // namespace

TEST_CASE("a stored message has the sequence of its receipt, once for each message id") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  ensure_stream(here, *at, "ORDERS", {"orders.>"});

  // when: a message is stored
  auto first = here.run(at->store(numbered_message("orders.placed", 1), time_limit));
  CHECK(first.stream == "ORDERS");
  CHECK(first.sequence == 1);
  CHECK_FALSE(first.duplicate);
  // when: the same message is stored again
  auto again = here.run(at->store(numbered_message("orders.placed", 1), time_limit));
  CHECK(again.stream == "ORDERS");
  CHECK(again.sequence == 1);
  CHECK(again.duplicate);
  // when: another message is stored
  auto second = here.run(at->store(numbered_message("orders.placed", 2), time_limit));
  CHECK(second.sequence == 2);
  CHECK_FALSE(second.duplicate);
}

TEST_CASE("a message that no stream takes is refused, and the error names its topic") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  const auto failure =
      thrown_by([&] { here.run(at->store(numbered_message("users.new", 1), 20s)); });
  REQUIRE(failure);
  CHECK_THAT(msgbus::describe(failure), contains("no stream takes 'users.new'"));
  CHECK(code_of([&] { std::rethrow_exception(failure); }) == errc::transport_failed);
}

TEST_CASE("a message without an id, or a too large one, is not stored") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  CHECK(code_of([&] { here.run(at->store(msgbus::envelope{"orders.a"}, time_limit)); }) ==
        errc::bad_arguments);
  auto large = numbered_message("orders.a", 1);
  large.payload.resize(2 << 20);
  CHECK(code_of([&] { here.run(at->store(large, time_limit)); }) == errc::transport_failed);
  large.topic = "or ders";
  CHECK(code_of([&] { here.run(at->store(large, time_limit)); }) == errc::invalid_topic);
}

TEST_CASE("many coroutines store at once, and each message is stored once") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  // when: coroutines store messages concurrently
  constexpr int coroutines = 100;
  constexpr int count = 2000;
  std::vector<msgbus::testing::spawned<std::vector<std::uint64_t>>> running;
  for (int i = 0; i < coroutines; ++i) {
    running.push_back(here.start(store_some(at, "orders.a", i, count, coroutines)));
  }
  // then: each message has its own sequence, without gaps
  std::set<std::uint64_t> sequences;
  for (auto& each : running) {
    here.finish(each);
    for (const auto sequence : each.get()) sequences.insert(sequence);
  }
  CHECK(sequences.size() == count);
  CHECK(*sequences.rbegin() == count);
}

TEST_CASE("a stream gets the missing topics, and keeps the others") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  // given: a stream with some topics and limits
  msgbus::transport::stream_options stream;
  stream.name = "ORDERS";
  stream.topics = {"orders.placed", "bills.*"};
  stream.max_messages = 3;
  stream.max_age = 1h;
  stream.duplicate_window = 2h;  // longer than max_age: the server's limit is used
  here.run(at->ensure_stream(stream));
  here.run(at->ensure_stream(stream));
  // when: more topics are requested
  ensure_stream(here, *at, "ORDERS", {"orders.paid", "bills.sent"});
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  // then: it takes them all
  int number = 0;
  for (const char* topic :
       {"orders.placed", "orders.paid", "orders.a.b", "bills.sent", "bills.x"}) {
    const auto done = here.run(at->store(numbered_message(topic, ++number), time_limit));
    CHECK(done.sequence == static_cast<std::uint64_t>(number));
  }
  // The limit is unchanged: three of five messages are kept. then: its limits are unchanged
  auto sink = std::make_shared<delivery_collector>();
  const auto source = here.run(at->pull({.stream = "ORDERS", .durable = "all"}, sink));
  source->ask(10);
  CHECK(sink->got.wait_for(3)[0]->message.topic == "orders.a.b");
}

TEST_CASE("a stream whose topics belong to another one is refused, with JetStream's text") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  ensure_stream(here, *at, "ORDERS", {"orders.>"});
  CHECK_THAT(text_of([&] { ensure_stream(here, *at, "OTHER", {"orders.placed"}); }),
             contains("stream 'OTHER'") && contains("overlap"));
  CHECK(code_of([&] { ensure_stream(here, *at, "a.b", {"a"}); }) == errc::bad_arguments);
  CHECK(code_of([&] { ensure_stream(here, *at, "A", {"a b"}); }) == errc::invalid_topic);
}

}  // namespace nats_store_test
