#include "bridge/pending_replies.hpp"

#include "support/catch.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pending_replies_test {

using msgbus::envelope;
using msgbus::errc;
using msgbus::bridging::key_in;
using msgbus::bridging::pending_replies;
using msgbus::bridging::pending_reply;
using msgbus::bridging::topic_of;

namespace {

pending_replies::reply made() { return std::make_shared<pending_reply>(); }

envelope with(std::string payload) {
  envelope made;
  made.payload = std::move(payload);
  return made;
}

}  // namespace

TEST_CASE("a place that has had all its numbers gives no request the key that is none") {
  pending_replies all(0xFFFF'FFFE);
  for (int i = 0; i < 4; ++i) {
    const auto one = made();
    const auto key = all.add(one);
    CHECK(key != 0);
    CHECK(all.answer(key, with("x")) == one);
  }
}

TEST_CASE("an answer goes to the request that has its key, once") {
  pending_replies all;
  const auto first = made();
  const auto second = made();
  const auto key_of_first = all.add(first);
  const auto key_of_second = all.add(second);
  CHECK(key_of_first != 0);
  CHECK(key_of_first != key_of_second);
  CHECK(all.answer(key_of_second, with("2")) == second);
  CHECK(second->answer->payload == "2");
  CHECK_FALSE(first->answer);
  CHECK(all.answer(key_of_second, with("3")) == nullptr);
  CHECK(second->answer->payload == "2");
  CHECK(all.answer(key_of_first, with("1")) == first);
  CHECK(first.use_count() == 1);
}

TEST_CASE("an answer that comes too late goes to nobody, also where its place is in use again") {
  pending_replies all;
  const auto late = made();
  const auto key = all.add(late);
  all.give_up(key);
  all.give_up(key);
  CHECK(late.use_count() == 1);
  const auto next = made();
  const auto key_of_next = all.add(next);
  CHECK(all.answer(key, {}) == nullptr);
  CHECK(all.answer(0, {}) == nullptr);
  CHECK(all.answer(~pending_replies::key{0}, {}) == nullptr);
  all.give_up(key);
  CHECK(all.answer(key_of_next, {}) == next);
}

TEST_CASE("a key is never used again") {
  pending_replies all;
  std::set<pending_replies::key> keys;
  std::vector<pending_replies::key> waiting;
  for (int i = 0; i < 1000; ++i) {
    waiting.push_back(all.add(made()));
    CHECK(keys.insert(waiting.back()).second);
    if (i % 3 == 0) {
      all.give_up(waiting.front());
      waiting.erase(waiting.begin());
    }
  }
  CHECK(all.interrupt({errc::disconnected, ""}).size() == waiting.size());
}

TEST_CASE("an interruption ends those that wait, and not those that come later") {
  pending_replies all;
  const auto answered = made();
  const auto waiting = made();
  const auto key_of_answered = all.add(answered);
  (void)all.add(waiting);
  REQUIRE(all.answer(key_of_answered, {}));
  const auto left = all.interrupt({errc::disconnected, "lost"});
  REQUIRE(left.size() == 1);
  CHECK(left[0] == waiting);
  CHECK(waiting->ended->code == errc::disconnected);
  CHECK_FALSE(answered->ended);
  CHECK_FALSE(all.has_ended());
  const auto later = made();
  const auto key_of_later = all.add(later);
  CHECK_FALSE(later->ended);
  CHECK(all.answer(key_of_later, {}) == later);
}

TEST_CASE("an end ends those that wait and those that come later") {
  pending_replies all;
  const auto waiting = made();
  const auto key = all.add(waiting);
  CHECK(all.end({errc::closed, "it was closed"}).size() == 1);
  CHECK(waiting->ended->why == "it was closed");
  CHECK(all.has_ended());
  CHECK(all.answer(key, {}) == nullptr);
  const auto later = made();
  CHECK(all.add(later) == 0);
  CHECK(later->ended->code == errc::closed);
  CHECK(all.end({errc::closed, "again"}).empty());
}

TEST_CASE("a key crosses as the last token of a topic") {
  for (const pending_replies::key each :
       {pending_replies::key{1}, pending_replies::key{1} << 32, ~pending_replies::key{0}}) {
    CHECK(key_in(topic_of("_INBOX.x", each), "_INBOX.x") == each);
  }
  CHECK(topic_of("in", 42) == "in.42");
  for (const char* const text :
       {"in", "in.", "in.a", "in.1a", "in.-1", "in.1.2", "in.+1", "", "in.99999999999999999999"}) {
    CHECK(key_in(text, "in") == 0);
  }
}

}  // namespace pending_replies_test
