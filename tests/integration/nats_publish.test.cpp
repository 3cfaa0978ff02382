#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <algorithm>

namespace nats_publish_test {

using namespace msgbus_test;
using msgbus::envelope;
using msgbus::transport::urgency;

namespace {

envelope text(const std::string& topic, const std::string& payload) {
  envelope made{topic};
  made.payload = payload;
  return made;
}

}  // namespace

TEST_CASE("subscriptions of one transport receive the messages of another, with their headers") {
  const nats_server server;
  loop here;
  // given: a subscription of another transport
  const auto from = connect(here, server);
  const auto to = connect(here, server);
  auto sink = std::make_shared<collector>();
  const auto feed = to->subscribe("orders.*", "", sink);
  here.run(to->flush(time_limit));

  // when: messages with and without headers are published
  envelope sent = text("orders.placed", std::string("a\0b", 3));
  sent.headers = {{"Msgbus-Type", "order"}, {"traceparent", "00-1-2-03"}, {"msgbus-type", "other"}};
  sent.headers.add("Msgbus-Type", "a second value of the same name");
  sent.reply_to = "answers.here";
  from->publish(sent, urgency::bulk);
  from->publish(text("elsewhere", "no"), urgency::bulk);
  from->publish(text("orders.paid", ""), urgency::bulk);

  // then: they arrive unchanged, in order
  const auto got = sink->got.wait_for(2);
  REQUIRE(got.size() == 2);
  CHECK(got[0].topic == "orders.placed");
  CHECK(got[0].payload == std::string("a\0b", 3));
  CHECK(got[0].headers == sent.headers);
  CHECK(got[0].reply_to == "answers.here");
  CHECK(got[1].topic == "orders.paid");
  CHECK(got[1].payload.empty());
  CHECK(got[1].headers.empty());
  CHECK(feed->dropped() == 0);
}

TEST_CASE("topics that would break the protocol are refused") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  auto sink = std::make_shared<collector>();
  for (const char* bad : {"", "a b", "a.", "a..b", "a\r\nPUB b 0", "a.*", ">"}) {
    CHECK(code_of([&] { at->publish(text(bad, "x"), urgency::bulk); }) ==
          msgbus::errc::invalid_topic);
  }
  envelope bad_reply = text("a", "x");
  bad_reply.reply_to = "a b";
  CHECK(code_of([&] { at->publish(bad_reply, urgency::bulk); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([&] { (void)at->subscribe("a b", "", sink); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([&] { (void)at->subscribe("a", "g h", sink); }) == msgbus::errc::invalid_topic);
}

TEST_CASE("one subscription of a group gets each message") {
  const nats_server server;
  loop here;
  // given: a group of two subscriptions, and one without a group
  const auto from = connect(here, server);
  const auto one = connect(here, server);
  const auto other = connect(here, server);
  auto group = std::make_shared<collector>();
  auto alone = std::make_shared<collector>();
  const auto feed1 = one->subscribe("work", "workers", group);
  const auto feed2 = other->subscribe("work", "workers", group);
  const auto feed3 = other->subscribe("work", "", alone);
  here.run(one->flush(time_limit));
  here.run(other->flush(time_limit));

  // when: messages are published
  constexpr int count = 200;
  for (int i = 0; i < count; ++i) from->publish(text("work", std::to_string(i)), urgency::bulk);
  // then: the group receives each message once
  CHECK(alone->got.wait_for(count).size() == count);
  auto all = payloads_of(group->got.wait_for(count));  // a duplicate would displace another message
  CHECK(all.size() == count);
  std::sort(all.begin(), all.end());
  CHECK(std::unique(all.begin(), all.end()) == all.end());
}

TEST_CASE("a bulk message does not reach its own connection, except with echo") {
  const nats_server server;
  loop here;
  const bool echo = GENERATE(false, true);
  const auto at = connect(here, msgbus::nats::options{.url = server.url(), .echo = echo});
  const auto other = connect(here, server);
  auto sink = std::make_shared<collector>();
  const auto feed = at->subscribe("a", "", sink);
  here.run(at->flush(time_limit));

  at->publish(text("a", "own"), urgency::bulk);
  here.run(at->flush(time_limit));
  other->publish(text("a", "other's"), urgency::bulk);
  const auto got = payloads_of(sink->got.wait_for(echo ? 2 : 1));
  CHECK(got ==
        (echo ? std::vector<std::string>{"own", "other's"} : std::vector<std::string>{"other's"}));
}

TEST_CASE("messages that were published before a flush have been sent when it completes") {
  const nats_server server;
  loop here;
  const auto from = connect(here, server);
  const auto to = connect(here, server);
  for (int round = 0; round < 20; ++round) {
    // given: a subscription
    auto sink = std::make_shared<collector>();
    const auto feed = to->subscribe("a", "", sink);
    here.run(to->flush(time_limit));
    // when: messages are published and flushed
    for (int i = 0; i < 50; ++i) {
      from->publish(text("a", std::to_string(i)), i % 5 == 0 ? urgency::at_once : urgency::bulk);
    }
    here.run(from->flush(time_limit));
    // The server sends all messages before its reply to this flush.
    here.run(to->flush(time_limit));
    CHECK(sink->got.wait_for(50).size() == 50);
  }
}

TEST_CASE("messages of the same urgency keep their order") {
  const nats_server server;
  loop here;
  const auto from = connect(here, server);
  const auto to = connect(here, server);
  auto sink = std::make_shared<collector>();
  const auto feed = to->subscribe("a", "", sink);
  here.run(to->flush(time_limit));
  const auto when = GENERATE(urgency::bulk, urgency::at_once);
  std::vector<std::string> sent;
  for (int i = 0; i < 2000; ++i) {
    sent.push_back(std::to_string(i));
    from->publish(text("a", sent.back()), when);
  }
  CHECK(payloads_of(sink->got.wait_for(2000)) == sent);
}

TEST_CASE("a stopped feed delivers nothing, and still has its count of dropped messages") {
  const nats_server server;
  loop here;
  // given: two subscriptions to one topic
  const auto from = connect(here, server);
  const auto to = connect(here, server);
  auto sink = std::make_shared<collector>();
  auto other = std::make_shared<collector>();
  auto feed = to->subscribe("a", "", sink);
  const auto stays = to->subscribe("a", "", other);
  here.run(to->flush(time_limit));
  from->publish(text("a", "1"), urgency::at_once);
  sink->got.wait_for(1);
  // when: one of them is stopped
  feed->stop();
  from->publish(text("a", "2"), urgency::at_once);
  // then: only the other one receives the next message
  other->got.wait_for(2);
  CHECK(sink->got.size() == 0);
  CHECK(feed->dropped() == 0);
  feed.reset();
  CHECK(sink.use_count() >= 1);
}

TEST_CASE("a payload that is too large is refused, and the error has both sizes") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  envelope sent = text("a", std::string((1 << 20) + 1, 'x'));
  const auto when = GENERATE(urgency::bulk, urgency::at_once);
  const auto failure = thrown_by([&] { at->publish(sent, when); });
  REQUIRE(failure);
  CHECK_THAT(msgbus::describe(failure), contains("1048577") && contains("1048576"));
  sent.headers.emplace("a", "b");
  CHECK(code_of([&] { at->publish(sent, when); }) == msgbus::errc::transport_failed);
}

}  // namespace nats_publish_test
