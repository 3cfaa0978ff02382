#include <msgbus/observer.hpp>

#include "support/catch.hpp"

#include <sstream>

namespace observer_test {

namespace {

class only_failures : public msgbus::observer {
 public:
  void failed(const msgbus::step& s, const std::exception_ptr& e) noexcept override {
    message = s.message;
    topic = s.topic;
    exception = e;
  }
  std::string_view message;
  std::string_view topic;
  std::exception_ptr exception;
};

}  // namespace

TEST_CASE("an observer that overrides one step gets that step, and ignores the others") {
  only_failures observer;
  msgbus::observer& as_observer = observer;
  const msgbus::step step{"order", "orders.placed"};
  as_observer.accepted(step);
  as_observer.delivered(step);
  as_observer.dropped(step);
  as_observer.unrouted(step);
  CHECK(observer.message.empty());

  const auto thrown = std::make_exception_ptr(5);
  as_observer.failed(step, thrown);
  CHECK(observer.message == "order");
  CHECK(observer.topic == "orders.placed");
  CHECK(observer.exception == thrown);
}

TEST_CASE("a step is printed with its members") {
  std::ostringstream out;
  out << msgbus::step{.message = "order_placed", .topic = ""};
  CHECK(out.str() == R"(step{.message = "order_placed", .topic = ""})");
}

}  // namespace observer_test
