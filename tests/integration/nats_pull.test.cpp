#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats_stream.hpp"
#include "support/thrown.hpp"

#include <set>

namespace nats_pull_test {

using namespace msgbus_test;
using msgbus::errc;

namespace {

/// An ack_wait that a machine may be busy with others for: what is in hand is reported as in
/// progress three times in it.
constexpr auto busy_wait = 1s;

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
  const auto source2 = test.here.run(elsewhere->pull(pull_billing(), other));
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
  auto which = pull_billing();
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
  const auto source = test.pull(sink, pull_billing(busy_wait));
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
  const auto source = test.pull(sink, pull_billing(busy_wait));
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
  const auto source = test.pull(sink, pull_billing(busy_wait));
  source->ask(2);
  auto got = sink->got.wait_for(1);
  // Three times ack_wait; no thread runs the context meanwhile. when: its thread is busy for three
  // times its ack_wait
  block_thread(3 * busy_wait);
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
  // Two thirds of it are for the server's restart, and for the connection to come back.
  const auto source = test.pull(sink, pull_billing(4s));
  source->ask(2 * many);
  auto got = sink->got.wait_for(many);
  // when: ack_wait passes twice, and the connection is lost
  for (int i = 0; i < 2; ++i) {
    block_thread(5s);
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
    const auto source = test.here.run(test.at->pull(pull_billing(), sink));
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

}  // namespace nats_pull_test
