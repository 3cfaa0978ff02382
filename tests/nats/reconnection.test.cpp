#include "nats/reconnection.hpp"

#include "support/catch.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reconnection_test {

using msgbus::envelope;
using msgbus::nats::kept_messages;
using msgbus::nats::reopening;
using attempt = kept_messages::attempt;
using decision = kept_messages::decision;

namespace {

envelope message(std::string payload) {
  envelope made{"orders"};
  made.payload = std::move(payload);
  return made;
}

/// Sends all kept messages.
std::vector<std::string> send_all(kept_messages& kept) {
  std::vector<std::string> sent;
  while (const envelope* const first = kept.first()) {
    sent.push_back(first->payload);
    CHECK(kept.tried(attempt::sent) == decision::sent);
    kept.pop();
  }
  return sent;
}

}  // namespace

TEST_CASE("messages wait from the loss of a connection until earlier ones are sent") {
  kept_messages kept(1000);
  CHECK_FALSE(kept.must_keep());
  CHECK(kept.lose());
  CHECK(kept.must_keep());
  CHECK(kept.is_away());
  CHECK(kept.keep(message("1"), "inbox.1"));
  CHECK(kept.keep(message("2"), ""));
  CHECK(kept.first()->reply_to == "inbox.1");
  CHECK(kept.come_back(kept.losses()));
  CHECK_FALSE(kept.is_away());
  CHECK(kept.must_keep());  // otherwise a later message would overtake them
  CHECK(send_all(kept) == std::vector<std::string>{"1", "2"});
  CHECK_FALSE(kept.must_keep());
  CHECK(kept.bytes() == 0);
  CHECK(kept.given_up() == 0);
}

TEST_CASE("a connection that is back without kept messages is used at once") {
  kept_messages kept(1000);
  CHECK(kept.lose());
  CHECK(kept.come_back(kept.losses()));
  CHECK_FALSE(kept.must_keep());
}

TEST_CASE("a reconnection of an earlier loss has no effect") {
  kept_messages kept(1000);
  CHECK(kept.lose());
  const std::uint64_t first = kept.losses();
  CHECK_FALSE(kept.lose());  // lost again before it was back
  CHECK_FALSE(kept.come_back(first));
  CHECK(kept.is_away());
  CHECK(kept.must_keep());
  CHECK(kept.come_back(kept.losses()));
  CHECK_FALSE(kept.is_away());
  CHECK(kept.lose());  // the first loss again
}

TEST_CASE("a message that was sent before the loss was noticed waits without a loss") {
  kept_messages kept(1000);
  CHECK(kept.keep(message("the write failed"), ""));
  CHECK(kept.must_keep());
  CHECK_FALSE(kept.is_away());
  CHECK(kept.tried(attempt::broken) == decision::wait);
  CHECK(kept.lose());
  CHECK(kept.come_back(kept.losses()));
  CHECK(send_all(kept) == std::vector<std::string>{"the write failed"});
}

TEST_CASE("the kept bytes have a limit, topics and reply topics included") {
  const std::size_t one = std::string("orders").size() + std::string("inbox").size() + 10;
  kept_messages kept(2 * one);
  CHECK(kept.lose());
  CHECK(kept.keep(message(std::string(10, 'x')), "inbox"));
  CHECK(kept.bytes() == one);
  CHECK_FALSE(kept.keep(message(std::string(11, 'x')), "inbox"));
  CHECK(kept.bytes() == one);
  CHECK(kept.keep(message(std::string(10, 'x')), "inbox"));
  CHECK(kept.bytes() == kept.most_bytes());
  CHECK_FALSE(kept.keep(message(""), ""));
  CHECK(kept.come_back(kept.losses()));
  CHECK(send_all(kept).size() == 2);
}

TEST_CASE("a buffer of zero bytes keeps no message") {
  kept_messages kept(0);
  CHECK(kept.lose());
  CHECK_FALSE(kept.keep(message(""), ""));
}

TEST_CASE("a message that the server refuses is given up alone, and counted", "[B9]") {
  kept_messages kept(1000);
  CHECK(kept.lose());
  CHECK(kept.keep(message("too large"), ""));
  CHECK(kept.keep(message("fits"), ""));
  CHECK(kept.come_back(kept.losses()));
  CHECK(kept.tried(attempt::refused) == decision::give_up);
  CHECK(kept.first()->payload == "too large");  // for the report
  kept.pop();
  CHECK(kept.given_up() == 1);
  CHECK(send_all(kept) == std::vector<std::string>{"fits"});
}

TEST_CASE("a message that came too early waits, however often", "[B9]") {
  kept_messages kept(1000);
  CHECK(kept.lose());
  CHECK(kept.keep(message("1"), ""));
  for (int i = 0; i < 100; ++i) CHECK(kept.tried(attempt::too_early) == decision::wait);
  CHECK(kept.given_up() == 0);
}

TEST_CASE("a message that repeatedly ends the connection is given up", "[B9]") {
  kept_messages kept(1000);
  // given: two kept messages
  CHECK(kept.keep(message("breaks"), ""));
  CHECK(kept.keep(message("innocent"), ""));
  // when: the first one ends the connection several times
  for (int i = 1; i < kept_messages::most_breaks; ++i) {
    (void)kept.lose();
    CHECK(kept.come_back(kept.losses()));
    CHECK(kept.tried(attempt::broken) == decision::wait);
    CHECK(kept.tried(attempt::broken) == decision::wait);  // the same connection counts once
  }
  (void)kept.lose();
  CHECK(kept.come_back(kept.losses()));
  // then: it is given up, and the next one is sent
  CHECK(kept.tried(attempt::broken) == decision::give_up);
  kept.pop();
  CHECK(kept.given_up() == 1);
  CHECK(kept.tried(attempt::broken) == decision::wait);  // the next message has all its attempts
  (void)kept.lose();
  CHECK(kept.come_back(kept.losses()));
  CHECK(send_all(kept) == std::vector<std::string>{"innocent"});
}

TEST_CASE("kept messages are given up when the connection ends, and counted", "[B9]") {
  kept_messages kept(1000);
  CHECK(kept.lose());
  CHECK(kept.keep(message("1"), ""));
  CHECK(kept.keep(message("2"), ""));
  CHECK(kept.give_up_all() == 2);
  CHECK(kept.given_up() == 2);
  CHECK(kept.first() == nullptr);
  CHECK(kept.bytes() == 0);
  CHECK(kept.give_up_all() == 0);
}

TEST_CASE("without a limit a connection is opened again for ever") {
  reopening tries(-1);
  CHECK(tries.goes_on(false));
  CHECK(tries.goes_on(true));
  for (int i = 0; i < 1000; ++i) CHECK(tries.failed());
}

TEST_CASE("a limit of attempts applies to consecutive attempts") {
  reopening tries(3);
  CHECK(tries.goes_on(false));
  CHECK_FALSE(tries.goes_on(true));  // nats.c has used all attempts
  CHECK(tries.failed());
  CHECK(tries.failed());
  tries.done();
  CHECK(tries.failed());
  CHECK(tries.failed());
  CHECK_FALSE(tries.failed());
}

TEST_CASE("a connection that may not come back is not opened again") {
  const reopening tries(0);
  CHECK_FALSE(tries.goes_on(false));
}

TEST_CASE("the same failure is reported once, until the connection is back") {
  reopening tries(-1);
  CHECK(tries.is_news("no route"));
  CHECK_FALSE(tries.is_news("no route"));
  CHECK(tries.is_news("refused"));
  CHECK(tries.is_news("no route"));
  tries.done();
  CHECK(tries.is_news("no route"));
}

TEST_CASE("a server's error about subscriptions or lines applies to the last sent subscription",
          "[B9]") {
  for (const char* const error :
       {"Maximum Subscriptions Exceeded", "maximum subscriptions exceeded",
        "maximum control line exceeded", "Invalid Subject"}) {
    reopening tries(-1);
    CHECK(tries.blames(7, error));
  }
}

TEST_CASE("any other error applies to the subscription at which it occurs twice in a row", "[B9]") {
  reopening tries(-1);
  tries.search();
  CHECK(tries.searches());
  CHECK_FALSE(tries.blames(7, "Maximum Connections Exceeded"));
  CHECK_FALSE(tries.blames(8, "Maximum Connections Exceeded"));
  CHECK(tries.blames(8, "Maximum Connections Exceeded"));
  tries.done();
  CHECK_FALSE(tries.searches());
  CHECK_FALSE(tries.blames(8, "Maximum Connections Exceeded"));
}

}  // namespace reconnection_test
