#include "bridge/tries.hpp"

#include "support/catch.hpp"

namespace tries_test {

using msgbus::bridging::message_tries;
using msgbus::bridging::tries;

TEST_CASE("failures and returns are counted apart, for each message", "[B3]") {
  tries all;
  CHECK(all.failed(7, 1) == 1);
  CHECK(all.handed_back(7, 1) == 1);
  CHECK(all.failed(7, 1) == 2);
  CHECK(all.failed(8, 2) == 1);
  CHECK(all.find(7, 1).failures == 2);
  CHECK(all.find(7, 1).handed_back == 1);
  CHECK(all.find(9, 3).failures == 0);
  all.forget(7);
  CHECK(all.find(7, 1).failures == 0);
  CHECK(all.size() == 1);
}

TEST_CASE("a message that came before is no first attempt, whatever its stream counts", "[B2]") {
  message_tries seen;
  CHECK(seen.attempt(1) == 1);
  seen.came_before = true;
  CHECK(seen.attempt(1) == 2);
  CHECK(seen.attempt(3) == 3);
  CHECK(seen.unseen(1) == 0);
  seen.handed_back = 1;  // untried
  CHECK(seen.attempt(1) == 1);
  seen.failures = 1;
  CHECK(seen.attempt(1) == 2);
}

TEST_CASE("the reason of a message that is given up is kept, with its counts", "[B2]") {
  tries all;
  (void)all.failed(7, 1);
  all.set_reason(7, 1, "poison");
  CHECK(all.handed_back(7, 1) == 1);
  CHECK(all.find(7, 1).reason == "poison");
  CHECK(all.find(7, 1).failures == 1);
}

TEST_CASE("another message in the same place of a stream that was made again starts anew") {
  tries all;
  (void)all.failed(7, 1);
  all.set_reason(7, 1, "poison");
  CHECK(all.knows(7));
  CHECK(all.find(7, 2).reason.empty());
  CHECK(all.failed(7, 2) == 1);
  CHECK(all.find(7, 2).reason.empty());
}

TEST_CASE("no more messages are known than the limit, and the oldest are forgotten first") {
  tries all(2);
  (void)all.failed(5, 1);
  (void)all.failed(7, 1);
  (void)all.failed(6, 1);
  CHECK(all.size() == 2);
  CHECK_FALSE(all.knows(5));
  CHECK(all.failed(5, 1) == 1);  // it is the oldest still
  CHECK_FALSE(all.knows(5));
  CHECK(all.failed(6, 1) == 2);
  CHECK(all.failed(7, 1) == 2);
}

TEST_CASE("an attempt is 1 only where no handler can have run before", "[B3]") {
  CHECK(message_tries{}.attempt(1) == 1);
  CHECK(message_tries{}.attempt(3) == 3);  // other processes may have handled it
  const message_tries handed_back{.failures = 0, .handed_back = 2, .reason = {}};
  CHECK(handed_back.attempt(3) == 1);
  const message_tries both{.failures = 2, .handed_back = 2, .reason = {}};
  CHECK(both.attempt(5) == 3);
  CHECK(both.attempt(1) == 3);  // a server that has lost its counts
}

TEST_CASE("deliveries are unseen if they neither failed here nor were handed back") {
  CHECK(message_tries{}.unseen(1) == 0);
  CHECK(message_tries{}.unseen(4) == 3);
  const message_tries known{.failures = 1, .handed_back = 1, .reason = {}};
  CHECK(known.unseen(4) == 1);
  CHECK(known.unseen(3) == 0);
  CHECK(known.unseen(1) == 0);
}

}  // namespace tries_test
