#include <msgbus/stream.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <memory>
#include <optional>
#include <string>

namespace stream_test {

using msgbus::stream;
using msgbus::subscription;
using msgbus::testing::stepping_context;
using text_queue = msgbus::exec::stream_queue<std::string>;

TEST_CASE("a stream returns its events and then, when closed, nothing", "[A10]") {
  stepping_context context;
  auto events = std::make_shared<text_queue>(msgbus::mailbox_options{.capacity = 2});
  stream<std::string> all(events, subscription());
  REQUIRE(events->try_put("first"));
  CHECK(all.size() == 1);
  CHECK(context.run(all.next()) == "first");
  auto waiting = context.spawn(all.next());
  context.run();
  CHECK_FALSE(waiting.done());
  all.close();
  context.run();
  CHECK(waiting.get() == std::nullopt);
  all.close();
  CHECK(context.run(all.next()) == std::nullopt);
}

TEST_CASE("a default stream is at its end") {
  stepping_context context;
  stream<int> none;
  CHECK(none.size() == 0);
  CHECK(none.lost() == 0);
  CHECK(context.run(none.next()) == std::nullopt);
  none.close();
}

TEST_CASE("a stream is movable, and a moved-from stream is at its end") {
  stepping_context context;
  auto events = std::make_shared<text_queue>(msgbus::mailbox_options{});
  auto other = std::make_shared<text_queue>(msgbus::mailbox_options{});
  stream<std::string> one(events, subscription());
  stream<std::string> two(other, subscription());
  REQUIRE(events->try_put("kept"));
  auto waiting = context.spawn(two.next());
  context.run();
  two = std::move(one);
  context.run();
  CHECK(waiting.get() == std::nullopt);  // the previous stream has ended
  CHECK(context.run(two.next()) == "kept");
  stream<std::string> three(std::move(two));
  REQUIRE(events->try_put("more"));
  CHECK(context.run(three.next()) == "more");
}

TEST_CASE("a destroyed stream has ended, and a wait that has begun outlives it") {
  stepping_context context;
  auto events = std::make_shared<text_queue>(msgbus::mailbox_options{});
  auto all = std::make_unique<stream<std::string>>(events, subscription());
  auto waiting = context.spawn(all->next());
  context.run();
  all.reset();
  events.reset();
  context.run();
  CHECK(waiting.get() == std::nullopt);
}

TEST_CASE("a stream counts the events that its policy has lost", "[A6]") {
  auto events = std::make_shared<text_queue>(
      msgbus::mailbox_options{.capacity = 1, .on_full = msgbus::overflow::drop_oldest});
  const stream<std::string> all(events, subscription());
  for (const char* each : {"a", "b", "c"}) CHECK(events->try_put(each));
  CHECK(all.size() == 1);
  CHECK(all.lost() == 2);
}

}  // namespace stream_test
