#include "support/catch.hpp"

#include "plugin.hpp"

#include <vector>

// Program and plugin are built with hidden visibility.
TEST_CASE("a type is one type on both sides of a shared library", "[T1]") {
  msgbus::sync::consumer consumer;
  msgbus::sync::subscriber subscriber;
  int handled = 0;
  attach_plugin(consumer, subscriber, handled);
  CHECK(consumer.consume(loaded{1}) == 1);
  CHECK(subscriber.receive(std::vector<int>{10}, "a") == 1);
  CHECK(handled == 11);
}
