// Cases of `publish`, `subscribe` and `flush`.

#include "testing/conformance_tools.hpp"

#include <algorithm>

namespace msgbus::testing::conformance {

namespace {

using transport::urgency;
using texts = std::vector<std::string>;

asio::awaitable<void> arrives_as_sent(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a.b"), "", got, in.deadline());
  envelope sent = made(in.topic("a.b"), "text");
  sent.headers.emplace("Mixed-Case", "Value with: a colon");
  sent.headers.emplace("mixed-case", "another");
  sent.headers.add("Mixed-Case", "a second value");
  sender->publish(sent, urgency::bulk);
  co_await got->until_size(1, in.deadline());
  const envelope came = got->at(0);
  expect(came.topic == sent.topic, "the topic is the one that it was sent to");
  expect(came.payload == "text", "the payload is the one that was sent");
  expect(came.headers == sent.headers, "the headers are those that were sent, with their case");
  expect(came.reply_to.empty(), "a message without a reply topic arrives without one");
}

asio::awaitable<void> any_bytes(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  std::string bytes;
  for (int i = 0; i < 65536; ++i) bytes.push_back(static_cast<char>(i * 7));
  sender->publish(made(in.topic("a"), bytes), urgency::bulk);
  sender->publish(made(in.topic("a")), urgency::bulk);
  co_await got->until_size(2, in.deadline());
  expect(got->at(0).payload == bytes, "64 KiB of any bytes arrive as they were sent");
  expect(got->at(1).payload.empty(), "an empty payload arrives empty");
}

asio::awaitable<void> patterns(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto one = std::make_shared<recorder>();
  const auto more = std::make_shared<recorder>();
  const auto first = co_await listen(receiver, in.topic("a.*.c"), "", one, in.deadline());
  const auto second = co_await listen(receiver, in.topic("a.>"), "", more, in.deadline());
  for (const char* const each : {"a", "a.b", "a.b.c", "a.b.c.d", "b.b.c", "a.x.c"}) {
    sender->publish(made(in.topic(each), each), urgency::bulk);
  }
  co_await one->until_size(2, in.deadline());
  co_await more->until_size(4, in.deadline());
  const texts tokens{"a.b.c", "a.x.c"};
  const texts rest{"a.b", "a.b.c", "a.b.c.d", "a.x.c"};
  expect(one->payloads() == tokens, "'*' stands for one token");
  expect(more->payloads() == rest, "a last '>' stands for one or more tokens");
}

asio::awaitable<void> everyone_gets_it(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const connection other = co_await in.connect();
  const auto a = std::make_shared<recorder>();
  const auto b = std::make_shared<recorder>();
  const auto c = std::make_shared<recorder>();
  const auto first = co_await listen(receiver, in.topic("a"), "", a, in.deadline());
  const auto second = co_await listen(receiver, in.topic("*"), "", b, in.deadline());
  const auto third = co_await listen(other, in.topic("a"), "", c, in.deadline());
  sender->publish(made(in.topic("a"), "x"), urgency::bulk);
  co_await a->until_size(1, in.deadline());
  co_await b->until_size(1, in.deadline());
  co_await c->until_size(1, in.deadline());
}

// Three members. Not in a coroutine: GCC 12 does not compile an initializer list in an expression
// with `co_await`.
std::vector<connection> members_at(const connection& one, const connection& other) {
  return {one, one, other};
}

asio::awaitable<void> group_shares(transport_environment& in) {
  constexpr std::size_t many = 60;
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const connection other = co_await in.connect();
  const auto members = std::make_shared<recorder>();
  const auto apart = std::make_shared<recorder>();
  const std::string group = in.topic("group");
  const std::vector<connection> all_of(members_at(receiver, other));
  std::vector<std::unique_ptr<transport::feed>> feeds;
  for (const connection& at : all_of) {
    auto member = co_await listen(at, in.topic("a"), group, members, in.deadline());
    feeds.push_back(std::move(member));
  }
  auto alone = co_await listen(other, in.topic("a"), group + "2", apart, in.deadline());
  for (std::size_t i = 0; i < many; ++i) {
    sender->publish(made(in.topic("a"), std::to_string(i)), urgency::bulk);
  }
  co_await members->until_size(many, in.deadline());
  co_await apart->until_size(many, in.deadline());
  sender->publish(made(in.topic("a"), "last"), urgency::bulk);
  co_await members->until_size(many + 1, in.deadline());
  texts all = members->payloads();
  std::ranges::sort(all);
  expect(std::ranges::adjacent_find(all) == all.end(), "one member of a group gets each message");
  expect(all.size() == many + 1, "every message reaches a member of the group");
}

asio::awaitable<void> nobody_listens(transport_environment& in) {
  const connection sender = co_await in.connect();
  sender->publish(made(in.topic("a"), "x"), urgency::bulk);
  sender->publish(made(in.topic("a"), "x"), urgency::at_once);
  co_await sender->flush(in.deadline());
}

asio::awaitable<void> in_order_of_publishing(transport_environment& in) {
  constexpr std::size_t many = 500;
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic(">"), "", got, in.deadline());
  for (std::size_t i = 0; i < many; ++i) {
    sender->publish(made(in.topic(i % 2 == 0 ? "even" : "odd"), std::to_string(i)), urgency::bulk);
  }
  co_await got->until_size(many, in.deadline());
  const texts all = got->payloads();
  for (std::size_t i = 0; i < many; ++i) {
    expect(all[i] == std::to_string(i), "messages of one connection arrive in order");
  }
  expect(!got->overlapped(), "a sink is called once at a time");
}

asio::awaitable<void> tells_when_caught_up(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  std::function<bool()> caught_up = [&] { return got->has_caught_up(); };
  for (const std::size_t many : {1U, 2U, 40U, 500U}) {
    const std::size_t goal = got->size() + many;
    for (std::size_t i = 0; i < many; ++i) {
      sender->publish(made(in.topic("a"), std::to_string(i)), urgency::bulk);
    }
    co_await got->until_size(goal, in.deadline());
    co_await got->until(caught_up, in.deadline(), "the notification that no message follows");
  }
  for (int i = 0; i < 500; ++i) sender->publish(made(in.topic("a")), urgency::bulk);
  co_await sender->flush(in.deadline());
  feed->stop();
  co_await got->until(std::move(caught_up), in.deadline(), "that notification after a stop");
  expect(!got->overlapped(), "a sink is called once at a time");
}

asio::awaitable<void> not_to_itself(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(mine, in.topic("a"), "", got, in.deadline());
  mine->publish(made(in.topic("a"), "own"), urgency::bulk);
  co_await mine->flush(in.deadline());
  other->publish(made(in.topic("a"), "other"), urgency::bulk);
  co_await got->until_size(1, in.deadline());
  const texts others{"other"};
  expect(got->payloads() == others, "a subscription receives bulk messages of others");
}

asio::awaitable<void> at_once_to_itself(transport_environment& in) {
  const connection mine = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(mine, in.topic("a"), "", got, in.deadline());
  mine->publish(made(in.topic("a"), "own"), urgency::at_once);
  co_await got->until_size(1, in.deadline());
}

asio::awaitable<void> stopped_feed(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto other = std::make_shared<recorder>();
  auto stopped = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  auto destroyed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  const auto kept = co_await listen(receiver, in.topic("a"), "", other, in.deadline());
  sender->publish(made(in.topic("a"), "before"), urgency::bulk);
  co_await got->until_size(2, in.deadline());
  stopped->stop();
  destroyed.reset();
  co_await receiver->flush(in.deadline());
  sender->publish(made(in.topic("a"), "after"), urgency::bulk);
  co_await other->until_size(2, in.deadline());
  expect(got->size() == 2, "a feed gives nothing after it was stopped, or destroyed");
  stopped->stop();  // a second call has no effect
}

asio::awaitable<void> refused(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  got->refuse(true);
  for (int i = 0; i < 3; ++i) sender->publish(made(in.topic("a")), urgency::bulk);
  std::function<bool()> three = [&] { return got->refused() == 3; };
  co_await got->until(std::move(three), in.deadline(), "three calls");
  got->refuse(false);
  sender->publish(made(in.topic("a"), "kept"), urgency::bulk);
  co_await got->until_size(1, in.deadline());
  expect(feed->dropped() == 3, "messages that a sink refuses are counted as dropped");
}

asio::awaitable<void> invalid_topics(transport_environment& in) {
  const connection mine = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  for (const char* const each : {"a..b", "a.*", "a.>", "a b"}) {
    const auto publish = [&] { mine->publish(made(in.topic(each)), urgency::bulk); };
    (void)thrown_by(publish, "publishing to an invalid topic");
  }
  for (const char* const each : {"a..b", "a.>.b"}) {
    const auto subscribe = [&] { (void)mine->subscribe(in.topic(each), "", got); };
    (void)thrown_by(subscribe, "subscribing to an invalid pattern");
  }
  co_await mine->flush(in.deadline());
}

// A server closes the connection of a client that sends longer lines.
asio::awaitable<void> names_too_long(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(mine, in.topic("a"), "", got, in.deadline());
  const std::string half(2100, 'x');
  const auto refused = [](const auto& f, const char* text) {
    expect(thrown_by(f, text).code() == errc::invalid_topic, text);
  };
  refused([&] { other->publish(made(in.topic(half + half)), urgency::bulk); },
          "a topic that is too long is invalid");
  envelope asks = made(in.topic(half));
  asks.reply_to = in.topic(half);
  refused([&] { other->publish(asks, urgency::at_once); }, "topic and reply topic count together");
  refused([&] { (void)mine->subscribe(in.topic(half + half), "", got); },
          "a pattern that is too long is invalid");
  refused([&] { (void)mine->subscribe(in.topic(half), half, got); },
          "pattern and group count together");
  const auto longest = std::make_shared<recorder>();
  const std::string most = in.topic(std::string(3800, 'x'));
  const auto second = co_await listen(mine, most, "", longest, in.deadline());
  other->publish(made(most, "long"), urgency::bulk);
  other->publish(made(in.topic("a"), "after"), urgency::bulk);
  co_await longest->until_size(1, in.deadline());
  co_await got->until_size(1, in.deadline());
  expect(got->at(0).payload == "after", "the connection is not affected");
}

}  // namespace

void add_topic_cases(cases& to) {
  to.push_back({"an envelope arrives as it was sent", anything, arrives_as_sent});
  to.push_back({"a payload may be any bytes, or none", anything, any_bytes});
  to.push_back({"patterns match as they should", anything, patterns});
  to.push_back({"every matching subscription receives a message", anything, everyone_gets_it});
  to.push_back({"one member of each group receives a message", anything, group_shares});
  to.push_back({"a message needs no subscription", anything, nobody_listens});
  to.push_back({"messages of one connection arrive in order", anything, in_order_of_publishing});
  to.push_back(
      {"a sink is notified when no message follows immediately", anything, tells_when_caught_up});
  to.push_back({"bulk messages reach other connections", anything, not_to_itself});
  to.push_back({"urgent messages reach the own connection too", anything, at_once_to_itself});
  to.push_back({"a stopped feed gives nothing", anything, stopped_feed});
  to.push_back({"messages that a sink refuses are counted", anything, refused});
  to.push_back({"invalid topics and patterns are refused", anything, invalid_topics});
  to.push_back({"names that no server takes are refused alone", anything, names_too_long});
}

}  // namespace msgbus::testing::conformance
