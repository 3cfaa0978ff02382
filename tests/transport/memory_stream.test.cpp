#include "transport/memory_stream.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace memory_stream_test {

using namespace std::chrono_literals;
using msgbus::transport::memory::handout;
using msgbus::transport::memory::memory_stream;
using msgbus::transport::memory::message;
using msgbus::transport::memory::time_point;

namespace {

constexpr time_point start{1h};

message made(std::string topic, std::string id = {}, std::string payload = {}) {
  auto message = std::make_shared<msgbus::envelope>();
  message->topic = std::move(topic);
  if (!id.empty()) message->headers.emplace(msgbus::header::message_id, std::move(id));
  message->payload = std::move(payload);
  return message;
}

msgbus::transport::stream_options orders() {
  msgbus::transport::stream_options options;
  options.name = "ORDERS";
  options.topics = {"orders.>"};
  return options;
}

std::vector<std::uint64_t> all_of(memory_stream& stream,
                                  msgbus::transport::memory::durable_state& durable,
                                  time_point now) {
  std::vector<std::uint64_t> got;
  while (const auto next = stream.next(durable, now)) got.push_back(next->sequence);
  return got;
}

using numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a stream numbers its messages from 1 and returns the number of each") {
  memory_stream stream(orders());
  const auto first = stream.store(made("orders.placed", "a"), start);
  const auto second = stream.store(made("orders.placed", "b"), start);
  CHECK(first.stream == "ORDERS");
  CHECK(first.sequence == 1);
  CHECK_FALSE(first.duplicate);
  CHECK(second.sequence == 2);
}

TEST_CASE("a message id is remembered until the end of the duplicate window") {
  auto options = orders();
  options.duplicate_window = 10s;
  memory_stream stream(options);
  (void)stream.store(made("orders.placed", "a"), start);
  const auto again = stream.store(made("orders.paid", "a"), start + 9s);
  CHECK(again.duplicate);
  CHECK(again.sequence == 1);
  const auto later = stream.store(made("orders.placed", "a"), start + 10s);
  CHECK_FALSE(later.duplicate);
  CHECK(later.sequence == 2);
  // The window of the second message begins at its own time.
  CHECK(stream.store(made("orders.placed", "a"), start + 19s).sequence == 2);
}

TEST_CASE("messages without an id are never duplicates") {
  memory_stream stream(orders());
  CHECK(stream.store(made("orders.placed"), start).sequence == 1);
  CHECK(stream.store(made("orders.placed"), start).sequence == 2);
}

TEST_CASE("a stream takes its topics, also added ones") {
  memory_stream stream(orders());
  CHECK(stream.takes("orders.a.b"));
  CHECK_FALSE(stream.takes("orders"));
  CHECK_FALSE(stream.takes("bills.sent"));
  stream.add_topics({"bills.*", "orders.>"});
  CHECK(stream.takes("bills.sent"));
  CHECK(stream.overlaps("*.sent"));
  CHECK_FALSE(stream.overlaps("other.>"));
}

TEST_CASE("a durable delivers no message without credit") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  for (const char* const id : {"a", "b", "c"}) (void)stream.store(made("orders.x", id), start);
  CHECK(all_of(stream, *durable, start).empty());
  durable->ask(1, 2);
  CHECK(all_of(stream, *durable, start) == numbers{1, 2});
  CHECK_FALSE(durable->waits(1));
  durable->ask(1, 2);
  CHECK(all_of(stream, *durable, start) == numbers{3});
  CHECK(durable->waits(1));
}

TEST_CASE("takers with credit get messages in turn") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  for (const std::uint64_t taker : {1U, 2U, 3U}) durable->join(taker, 10 + taker);
  durable->ask(1, 5);
  durable->ask(3, 5);
  for (int i = 0; i < 4; ++i) (void)stream.store(made("orders.x"), start);
  std::vector<std::uint64_t> who;
  while (const auto next = stream.next(*durable, start)) who.push_back(next->to);
  CHECK(who == numbers{1, 3, 1, 3});
}

TEST_CASE("a taker whose connection is away is skipped, and keeps its credit") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->ask(1, 5);
  durable->pause(1, true);
  (void)stream.store(made("orders.x"), start);
  CHECK_FALSE(stream.next(*durable, start));
  CHECK_FALSE(durable->waits(1));
  durable->pause(1, false);
  CHECK(stream.next(*durable, start));
}

TEST_CASE("a durable delivers the messages that match its filter") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "orders.*.paid", 30s);
  durable->join(1, 10);
  durable->ask(1, 10);
  for (const char* const topic : {"orders.1.placed", "orders.1.paid", "orders.2.paid"}) {
    (void)stream.store(made(topic), start);
  }
  CHECK(all_of(stream, *durable, start) == numbers{2, 3});
}

TEST_CASE("a settled message is not redelivered") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->ask(1, 10);
  (void)stream.store(made("orders.x"), start);
  CHECK(all_of(stream, *durable, start) == numbers{1});
  CHECK(durable->unsettled() == 1);
  durable->settle(1);
  CHECK(durable->unsettled() == 0);
  CHECK_FALSE(durable->next_due());
  CHECK(all_of(stream, *durable, start + 31s).empty());
  durable->settle(1);  // late, and repeated
  durable->settle(7);  // unknown
  CHECK(durable->unsettled() == 0);
}

TEST_CASE("an unsettled message is redelivered after ack_wait, before new messages") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  // given: two unsettled messages and a new one
  durable->join(1, 10);
  durable->ask(1, 3);
  (void)stream.store(made("orders.x"), start);
  (void)stream.store(made("orders.x"), start);
  CHECK(all_of(stream, *durable, start) == numbers{1, 2});
  (void)stream.store(made("orders.x"), start);
  // then: before the end of ack_wait, only the new one is delivered
  CHECK(durable->next_due() == start + 30s);
  CHECK(stream.next(*durable, start + 29s)->sequence == 3);  // the third credit
  durable->ask(1, 10);
  CHECK_FALSE(stream.next(*durable, start + 29s));
  // then: after it, the unsettled ones are redelivered, and counted
  const auto again = stream.next(*durable, start + 30s);
  REQUIRE(again);
  CHECK(again->sequence == 1);
  CHECK(again->times == 2);
  CHECK(all_of(stream, *durable, start + 30s) == numbers{2});
  CHECK(durable->next_due() == start + 59s);
}

TEST_CASE("a message is never due while the object of its last delivery exists") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->ask(1, 10);
  (void)stream.store(made("orders.x"), start);
  (void)stream.next(*durable, start);
  durable->begin(1, 1);
  CHECK_FALSE(durable->next_due());
  CHECK_FALSE(stream.next(*durable, start + 500s));
  durable->let_go(1, 1, start + 500s);
  CHECK(durable->next_due() == start + 530s);
  CHECK(stream.next(*durable, start + 530s)->times == 2);
  durable->begin(1, 2);
  durable->let_go(1, 1, start + 540s);  // a late call of the first holder
  CHECK_FALSE(durable->next_due());
}

TEST_CASE("ack_wait of an existing delivery begins when its connection is lost") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->ask(1, 10);
  for (int i = 0; i < 3; ++i) (void)stream.store(made("orders.x"), start);
  CHECK(all_of(stream, *durable, start) == numbers{1, 2, 3});
  for (const std::uint64_t each : {1u, 2u, 3u}) durable->begin(each, 1);
  durable->set_away(10, true, start + 50s);
  durable->set_away(11, true, start + 50s);  // for another owner
  CHECK(durable->next_due() == start + 80s);
  durable->let_go(2, 1, start + 70s);  // has no second effect
  durable->set_away(10, false, start + 75s);
  CHECK(all_of(stream, *durable, start + 80s) == numbers{2});
  CHECK(durable->next_due() == start + 110s);
}

TEST_CASE("a message with a nak is redelivered after the delay, and counted") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  // given: two deliveries
  durable->join(1, 10);
  durable->ask(1, 10);
  (void)stream.store(made("orders.x"), start);
  (void)stream.store(made("orders.x"), start);
  (void)all_of(stream, *durable, start);
  // when: one gets a nak with a delay
  durable->nak(1, 1, start + 5s);
  CHECK_FALSE(durable->holds(1, 1));
  CHECK_FALSE(stream.next(*durable, start + 4s));
  // then: it is redelivered after the delay, as the second delivery
  const auto again = stream.next(*durable, start + 5s);
  REQUIRE(again);
  CHECK(again->sequence == 1);
  CHECK(again->times == 2);
  // then: a nak of the first delivery has no effect
  durable->nak(1, 1, start);  // the first delivery is settled
  CHECK_FALSE(stream.next(*durable, start + 6s));
}

TEST_CASE("a late settlement of an earlier delivery is accepted") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->ask(1, 10);
  (void)stream.store(made("orders.x"), start);
  (void)stream.next(*durable, start);
  (void)stream.next(*durable, start + 30s);
  CHECK(durable->holds(1, 2));
  durable->settle(1);
  CHECK_FALSE(durable->holds(1, 2));
  CHECK_FALSE(stream.next(*durable, start + 90s));
}

TEST_CASE("a delivery that has not reached its taker is not counted") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->join(2, 20);
  durable->ask(1, 1);
  (void)stream.store(made("orders.x"), start);
  const auto given = stream.next(*durable, start);
  REQUIRE(given);
  durable->give_back(given->sequence, given->times);
  durable->leave(1);
  durable->ask(2, 1);
  const auto other = stream.next(*durable, start);
  REQUIRE(other);
  CHECK(other->to == 2);
  CHECK(other->times == 1);
}

TEST_CASE("messages of a closed owner are redelivered at once, in order") {
  memory_stream stream(orders());
  const auto durable = stream.make("billing", "", 30s);
  durable->join(1, 10);
  durable->join(2, 20);
  durable->ask(1, 3);
  for (int i = 0; i < 4; ++i) (void)stream.store(made("orders.x"), start);
  CHECK(all_of(stream, *durable, start) == numbers{1, 2, 3});
  durable->settle(2);
  durable->begin(1, 1);
  durable->leave(1);
  durable->abandon(10);
  durable->ask(2, 10);
  CHECK(all_of(stream, *durable, start + 10s) == numbers{1, 3, 4});
  durable->abandon(10);  // this owner has no delivery any more
  CHECK_FALSE(stream.next(*durable, start + 11s));
}

TEST_CASE("a stream keeps its limits, and redelivers no dropped message") {
  auto options = orders();
  SECTION("by number") { options.max_messages = 2; }
  SECTION("by age") { options.max_age = 10s; }
  memory_stream stream(options);
  const auto durable = stream.make("billing", "", 30s);
  // given: an unsettled message
  durable->join(1, 10);
  durable->ask(1, 1);
  (void)stream.store(made("orders.x"), start);
  CHECK(all_of(stream, *durable, start) == numbers{1});
  durable->nak(1, 1, start);
  (void)stream.store(made("orders.x"), start);
  // when: the stream drops it
  (void)stream.store(made("orders.x"), start + 5s);
  (void)stream.store(made("orders.x"), start + 5s);
  durable->ask(1, 10);
  // then: only the kept messages are delivered
  CHECK(all_of(stream, *durable, start + 10s) == numbers{3, 4});
  CHECK(durable->unsettled() == 2);
}

TEST_CASE("every durable gets all messages, and a later one begins at the first kept message") {
  memory_stream stream(orders());
  const auto one = stream.make("one", "", 30s);
  one->join(1, 10);
  one->ask(1, 10);
  (void)stream.store(made("orders.x"), start);
  CHECK(all_of(stream, *one, start) == numbers{1});
  const auto two = stream.make("two", "", 30s);
  two->join(2, 10);
  two->ask(2, 10);
  CHECK(all_of(stream, *two, start) == numbers{1});
  CHECK(stream.find("one") == one);
  CHECK_FALSE(stream.find("three"));
}

}  // namespace memory_stream_test
