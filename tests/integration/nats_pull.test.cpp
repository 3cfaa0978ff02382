#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <stdexcept>

namespace nats_pull_test {

using namespace msgbus_test;
using msgbus::errc;
using msgbus::transport::pull_options;

namespace {

pull_options billing(std::chrono::steady_clock::duration ack_wait = 30s) {
  pull_options which;
  which.stream = "ORDERS";
  which.durable = "billing";
  which.ack_wait = ack_wait;
  return which;
}

/// A server with a stream, and a transport.
struct with_stream {
  with_stream() { ensure_stream(here, *at, "ORDERS", {"orders.>"}); }

  std::unique_ptr<msgbus::transport::source> pull(std::shared_ptr<delivery_collector> to,
                                                  const pull_options& which = billing()) {
    return here.run(at->pull(which, std::move(to)));
  }

  nats_server server;
  loop here;
  transport_ptr at = connect(here, server);
};

/// Acknowledges each delivery at once.
class acknowledging final : public msgbus::transport::delivery_sink {
 public:
  void take(std::unique_ptr<msgbus::transport::delivery> received) noexcept override {
    received->ack();
    {
      const std::lock_guard lock(mutex_);
      all_.push_back(received->message.payload);
    }
    got.add(1);
  }
  void ended(std::exception_ptr why) noexcept override { ends.add(std::move(why)); }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  kept<int> got;
  kept<std::exception_ptr> ends;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

std::string payload_of(const delivery_collector::owned& of) { return of->message.payload; }

}  // namespace

TEST_CASE("stored messages are delivered on credit, in order and unchanged") {
  with_stream test;
  // given: stored messages
  store(test.here, *test.at, "orders.placed", 3);
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  CHECK(sink->got.size() == 0);
  // when: a source asks for them
  source->ask(3);
  // then: they arrive in order and unchanged
  const auto got = sink->got.wait_for(3);
  for (int i = 0; i < 3; ++i) {
    const auto& each = *got[static_cast<std::size_t>(i)];
    CHECK(each.message.payload == std::to_string(i));
    CHECK(each.message.topic == "orders.placed");
    CHECK(each.message.reply_to.empty());
    CHECK(each.message.headers == numbered_message("orders.placed", i).headers);
    CHECK(each.times == 1);
    CHECK(each.sequence == static_cast<std::uint64_t>(i) + 1);
  }
}

TEST_CASE("a source delivers exactly as many messages as it has credit") {
  with_stream test;
  // given: stored messages
  store(test.here, *test.at, "orders.placed", 40);
  auto sink = std::make_shared<delivery_collector>();
  auto other = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  int taken = 0;
  // when: the source asks for some of them
  for (const std::size_t more : {1u, 2u, 7u, 1u, 20u}) {
    source->ask(more);
    // then: exactly so many arrive
    for (const auto& each : sink->got.wait_for(more)) {
      CHECK(payload_of(each) == std::to_string(taken++));
      CHECK(each->ack());
    }
    // No further message has arrived.
    test.here.run(test.at->flush(time_limit));
    CHECK(sink->got.size() == 0);
  }
  // then: a second source receives the next ones
  const auto second = test.pull(other);
  second->ask(9);
  CHECK(payload_of(other->got.wait_for(9)[0]) == "31");
  CHECK(sink->got.size() == 0);
}

TEST_CASE("a message that is stored while a source waits is delivered at once") {
  with_stream test;
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  source->ask(100);
  for (int i = 0; i < 20; ++i) {
    store(test.here, *test.at, "orders.placed", 1, i);
    const auto got = sink->got.wait_for(1);
    CHECK(payload_of(got[0]) == std::to_string(i));
    CHECK(got[0]->ack());
  }
}

TEST_CASE("sources of one durable consumer share its messages") {
  with_stream test;
  const auto elsewhere = connect(test.here, test.server);
  auto one = std::make_shared<delivery_collector>();
  auto other = std::make_shared<delivery_collector>();
  const auto source1 = test.pull(one);
  const auto source2 = test.here.run(elsewhere->pull(billing(), other));
  source1->ask(10);
  source2->ask(10);
  store(test.here, *test.at, "orders.placed", 20);
  std::set<std::string> all;
  for (const auto& each : one->got.wait_for(10)) all.insert(payload_of(each));
  for (const auto& each : other->got.wait_for(10)) all.insert(payload_of(each));
  CHECK(all.size() == 20);
}

TEST_CASE("a source delivers the messages that match its filter") {
  with_stream test;
  store(test.here, *test.at, "orders.placed", 2);
  store(test.here, *test.at, "orders.paid", 2);
  auto sink = std::make_shared<delivery_collector>();
  auto which = billing();
  which.filter = "orders.paid";
  const auto source = test.pull(sink, which);
  source->ask(10);
  for (const auto& each : sink->got.wait_for(2)) CHECK(each->message.topic == "orders.paid");
}

TEST_CASE("an acknowledged message is not redelivered, and an unsettled one is, after ack_wait") {
  with_stream test;
  // given: three deliveries, two of which are acknowledged
  store(test.here, *test.at, "orders.placed", 3);
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink, billing(500ms));
  source->ask(3);
  auto got = sink->got.wait_for(3);
  CHECK(got[0]->ack());
  CHECK(got[0]->ack());  // a second ack has no effect
  CHECK(got[2]->ack());
  // when: the third is destroyed unsettled
  got[1].reset();
  source->ask(2);
  // then: only that one is redelivered
  const auto again = sink->got.wait_for(1);
  CHECK(payload_of(again[0]) == "1");
  CHECK(again[0]->times == 2);
  CHECK(again[0]->ack());
  // then: the next message is a new one
  store(test.here, *test.at, "orders.placed", 1, 3);
  CHECK(payload_of(sink->got.wait_for(1)[0]) == "3");
}

TEST_CASE("a message with a nak is redelivered, at once or after the delay") {
  with_stream test;
  store(test.here, *test.at, "orders.placed", 1);
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  source->ask(3);
  auto got = sink->got.wait_for(1);
  CHECK(got[0]->nak(0ns));
  got = sink->got.wait_for(1);
  CHECK(got[0]->times == 2);
  const auto before = std::chrono::steady_clock::now();
  CHECK(got[0]->nak(300ms));
  got = sink->got.wait_for(1);
  CHECK(got[0]->times == 3);
  CHECK(std::chrono::steady_clock::now() - before >= 290ms);
}

TEST_CASE("a terminated message is never redelivered") {
  with_stream test;
  store(test.here, *test.at, "orders.placed", 2);
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink, billing(300ms));
  source->ask(10);
  auto got = sink->got.wait_for(2);
  CHECK(got[0]->term());
  got.clear();
  const auto again = sink->got.wait_for(1);  // the other delivery, after its ack_wait
  CHECK(payload_of(again[0]) == "1");
  CHECK(again[0]->times == 2);
}

TEST_CASE("a delivery is in progress as long as it exists unsettled, and no longer") {
  with_stream test;
  // given: a delivery
  store(test.here, *test.at, "orders.placed", 1);
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink, billing(400ms));
  source->ask(2);
  auto got = sink->got.wait_for(1);
  // Three times ack_wait; no thread runs the context meanwhile. when: its thread is busy for three
  // times its ack_wait
  block_thread(1200ms);
  // then: it is not redelivered
  test.here.run(test.at->flush(time_limit));
  CHECK(sink->got.size() == 0);
  // then: it is redelivered once it is destroyed or gets a nak
  SECTION("destroyed") {
    got.clear();
    CHECK(sink->got.wait_for(1)[0]->times == 2);
  }
  SECTION("settled with a nak, and no progress report extends its delay") {
    const auto before = std::chrono::steady_clock::now();
    CHECK(got[0]->nak(300ms));
    CHECK(sink->got.wait_for(1)[0]->times == 2);
    CHECK(std::chrono::steady_clock::now() - before < 5s);
  }
}

TEST_CASE("many deliveries stay in progress, also while the connection is lost") {
  with_stream test;
  // given: many deliveries
  constexpr std::size_t many = 300;
  store(test.here, *test.at, "orders.placed", static_cast<int>(many));
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink, billing(2s));
  source->ask(2 * many);
  auto got = sink->got.wait_for(many);
  // when: ack_wait passes twice, and the connection is lost
  for (int i = 0; i < 2; ++i) {
    block_thread(3s);
    if (i == 0) {
      test.server.kill();
      test.server.restart();
    }
  }
  // then: none is redelivered, and all can be acknowledged
  test.here.run(test.at->flush(time_limit));
  CHECK(sink->got.size() == 0);
  for (const auto& each : got) CHECK(each->ack());
}

TEST_CASE("pending deliveries of a stopped source go to others at once") {
  with_stream test;
  // given: stored messages
  store(test.here, *test.at, "orders.placed", 500);
  std::set<std::string> all;
  // when: sources are stopped while their deliveries arrive
  for (int round = 0; round < 5; ++round) {
    auto sink = std::make_shared<acknowledging>();
    const auto source = test.here.run(test.at->pull(billing(), sink));
    source->ask(80);
    sink->got.wait_for(1);
    source->stop();
    test.here.run(test.at->flush(time_limit));  // completes after the last delivery
    CHECK(sink->ends.size() == 0);
    for (const auto& each : sink->all()) all.insert(each);
  }
  // The others are delivered now, long before the end of their ack_wait. About once in a thousand
  // runs, the server redelivers a message that crosses the stop only after ack_wait. then: the
  // remaining messages go to another source at once
  const auto before = std::chrono::steady_clock::now();
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  source->ask(500);
  while (all.size() < 498) {
    for (const auto& each : sink->got.wait_for(1)) all.insert(payload_of(each));
  }
  CHECK(std::chrono::steady_clock::now() - before < 20s);
}

TEST_CASE("a delivery may be settled after its source and its transport were destroyed") {
  with_stream test;
  store(test.here, *test.at, "orders.placed", 2);
  auto sink = std::make_shared<delivery_collector>();
  auto source = test.pull(sink);
  source->ask(2);
  const auto got = sink->got.wait_for(2);
  source.reset();
  CHECK(got[0]->ack());
  test.at.reset();
  CHECK_FALSE(got[1]->ack());
}

TEST_CASE("an existing durable consumer is changed as requested, if that is possible") {
  with_stream test;
  auto sink = std::make_shared<delivery_collector>();
  test.pull(sink, billing(30s));
  test.pull(sink, billing(30s));
  store(test.here, *test.at, "orders.placed", 1);
  const auto source = test.pull(sink, billing(300ms));
  source->ask(2);
  sink->got.wait_for(1);  // the delivery is destroyed
  CHECK(sink->got.wait_for(1)[0]->times == 2);
}

TEST_CASE("a source with an invalid name of a stream or durable is refused") {
  with_stream test;
  auto sink = std::make_shared<delivery_collector>();
  auto which = billing();
  which.stream = "NOWHERE";
  CHECK_THAT(text_of([&] { test.pull(sink, which); }),
             contains("NOWHERE") && contains("stream not found"));
  which.stream = "a.b";
  CHECK(code_of([&] { test.pull(sink, which); }) == errc::bad_arguments);
  which = billing();
  which.durable = "";
  CHECK(code_of([&] { test.pull(sink, which); }) == errc::bad_arguments);
}

namespace {

using nlohmann::json;

/// Creates the consumer as an operator would, with another program.
json ask_server(const nats_server& server, const std::string& topic, const json& request) {
  loop elsewhere;
  const auto at = connect(elsewhere, server);
  auto answers = std::make_shared<collector>();
  msgbus::envelope asked{"$JS.API." + topic};
  asked.reply_to = at->new_inbox();
  if (!request.is_null()) asked.payload = request.dump();
  const auto feed = at->subscribe(asked.reply_to, "", answers);
  at->publish(asked, msgbus::transport::urgency::at_once);
  return json::parse(answers->got.wait_for(1)[0].payload);
}

json make_consumer(const nats_server& server, const json& changed) {
  json config = {{"durable_name", "billing"}, {"deliver_policy", "new"},
                 {"ack_policy", "explicit"},  {"max_ack_pending", 1000},
                 {"max_deliver", 20},         {"description", "made by its operator"}};
  config.update(changed);
  const json made = ask_server(server, "CONSUMER.DURABLE.CREATE.ORDERS.billing",
                               {{"stream_name", "ORDERS"}, {"config", config}});
  if (made.contains("error")) throw std::runtime_error(made.dump());
  return made["config"];
}

json consumer_there(const nats_server& server) {
  return ask_server(server, "CONSUMER.INFO.ORDERS.billing", nullptr)["config"];
}

}  // namespace

TEST_CASE("a durable consumer that its operator has created is used unchanged") {
  with_stream test;
  store(test.here, *test.at, "orders.placed", 1);  // must not be delivered
  const json before = make_consumer(test.server, json::object());
  auto sink = std::make_shared<delivery_collector>();
  const auto source = test.pull(sink);
  CHECK(consumer_there(test.server) == before);
  source->ask(2);
  store(test.here, *test.at, "orders.placed", 1, 1);
  const auto got = sink->got.wait_for(1);
  CHECK(payload_of(got[0]) == "1");
  CHECK(got[0]->ack());
}

TEST_CASE("only ack_wait of an existing durable consumer is changed") {
  with_stream test;
  const auto other = GENERATE(5s, 60s);
  json before = make_consumer(test.server, {{"ack_wait", std::chrono::nanoseconds(other).count()}});
  auto sink = std::make_shared<delivery_collector>();
  test.pull(sink);
  before["ack_wait"] = 30'000'000'000;
  CHECK(consumer_there(test.server) == before);
}

TEST_CASE("an unusable durable consumer is refused, and stays unchanged") {
  with_stream test;
  // given: a durable consumer with one unusable field
  const auto [changed, text] = GENERATE(table<json, std::string>(
      {{{{"ack_policy", "all"}}, "ack_policy is \"all\", and must be \"explicit\""},
       {{{"filter_subject", "orders.x"}}, "filter_subject is \"orders.x\", and must be empty"},
       {{{"headers_only", true}}, "headers_only is true, and must be absent"},
       {{{"max_batch", 100}}, "max_batch is 100, and must be 1024 at least"},
       {{{"deliver_subject", "there"}, {"max_waiting", nullptr}},
        "deliver_subject is \"there\", and must be absent"},
       {{{"backoff", {1'000'000'000, 2'000'000'000}}}, "backoff is [1000000000,2000000000]"}}));
  INFO(changed.dump());
  const json before = make_consumer(test.server, changed);
  auto sink = std::make_shared<delivery_collector>();
  // when: a source is made for it
  const auto pulling = [&, wanted = text] {
    const std::string said = text_of([&] { test.pull(sink); });
    // then: the error names the field, its value and the required one
    CHECK_THAT(said, contains("stream 'ORDERS', durable 'billing': ") && contains(wanted));
  };
  pulling();
  // then: the consumer is unchanged
  CHECK(consumer_there(test.server) == before);
}

}  // namespace nats_pull_test
