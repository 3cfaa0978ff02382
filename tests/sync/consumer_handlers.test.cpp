// The forms of a consumer's handlers, and of the events that it consumes.

#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace consumer_handlers_test {

namespace {

using msgbus::any_event;
using msgbus::one_of;
using msgbus::sync::consumer;

struct user {
  int id = 0;
};
struct order {
  int id = 0;
};

using numbers = std::vector<int>;

int seen_by_function = 0;
void on_user(const user& event) { seen_by_function = event.id; }

struct projection {
  int sum = 0;
  void on_user(const user& event) { sum += event.id; }
  void on_any_user(user event) noexcept { sum += 10 * event.id; }
  void on_either(one_of<user, order> event) {
    sum += 100 * event.visit([](const auto& as) { return as.id; });
  }
};
struct detailed_projection : projection {};

struct watching {
  mutable int seen = 0;
  void look(const user& event) const { seen = event.id; }
};

}  // namespace

TEST_CASE("a function, a function object and a lambda with state are handlers", "[D1]") {
  struct adder {
    int* sum;
    void operator()(const user& event) { *sum += event.id; }
  };
  consumer events;
  int sum = 0;
  numbers counts;
  events.handler(on_user);
  events.handler(&on_user);
  events.handler(adder{&sum});
  events.handler([&counts, n = 0](const user&) mutable { counts.push_back(++n); });
  events.handler([](const user& event) { return event.id; });  // its result is discarded
  CHECK(events.consume(user{4}) == 5);
  CHECK(events.consume(user{5}) == 5);
  CHECK(seen_by_function == 5);
  CHECK(sum == 9);
  CHECK(counts == numbers{1, 2});
}

TEST_CASE("a handler may be given by reference", "[D1]") {
  struct counter {
    int calls = 0;
    void operator()(const user&) { ++calls; }
  };
  consumer events;
  counter count;
  events.handler(std::ref(count));
  events.consume(user{});
  events.consume(user{});
  CHECK(count.calls == 2);
}

TEST_CASE("an empty callable is refused as an event handler") {
  consumer events;
  void (*null)(const user&) = nullptr;
  CHECK(msgbus_test::code_of([&] { events.handler(null); }) == msgbus::errc::bad_arguments);
  CHECK(msgbus_test::code_of([&] { events.handler(std::function<void(user)>()); }) ==
        msgbus::errc::bad_arguments);
  CHECK(events.consume(user{}) == 0);
  events.handler(std::function<void(user)>([](user) {}));
  CHECK(events.consume(user{}) == 1);
}

TEST_CASE("a handler may own objects that cannot be copied", "[D1]") {
  consumer events;
  int seen = 0;
  events.handler([&seen, own = std::make_unique<int>(5)](const user&) { seen = *own; });
  events.consume(user{});
  CHECK(seen == 5);
}

TEST_CASE("a member function is a handler, with its object or a pointer to it", "[D1]") {
  consumer events;
  projection object;
  auto shared = std::make_shared<projection>();
  events.handler(&projection::on_user, object);
  events.handler(&projection::on_any_user, &object);
  events.handler(&projection::on_either, shared);
  CHECK(events.consume(user{2}) == 3);
  CHECK(object.sum == 22);
  CHECK(shared->sum == 200);
  CHECK(events.consume(order{3}) == 1);
  CHECK(shared->sum == 500);
}

TEST_CASE("a member function of a base, or of a const object, is a handler", "[D1]") {
  consumer events;
  detailed_projection object;
  const watching observer;
  events.handler(&projection::on_user, object);
  events.handler(&detailed_projection::on_user, object);
  events.handler(&watching::look, observer);
  CHECK(events.consume(user{2}) == 3);
  CHECK(object.sum == 4);
  CHECK(observer.seen == 2);
}

TEST_CASE("a member function may be given for named types", "[T2]") {
  consumer events;
  projection object;
  events.handler<user>(&projection::on_either, object);
  CHECK(events.consume(user{1}) == 1);
  CHECK(events.consume(order{1}) == 0);
  CHECK(object.sum == 100);
}

TEST_CASE("an event may be constructed in place", "[D9]") {
  struct fixed {
    fixed(int a, std::string b) : text(std::to_string(a) + std::move(b)) {}
    fixed(const fixed&) = delete;
    fixed& operator=(const fixed&) = delete;
    std::string text;
  };
  struct pair {
    int a;
    std::string b;
  };
  consumer events;
  std::string seen;
  events.handler([&](const fixed& event) { seen += event.text + ", "; });
  events.handler([&](const pair& event) { seen += event.b + std::to_string(event.a) + ", "; });
  events.handler([&](const user& event) { seen += std::to_string(event.id); });
  CHECK(events.consume<fixed>(1, "x") == 1);
  CHECK(events.consume<pair>(2, "y") == 1);
  CHECK(events.consume<user>() == 1);
  CHECK(events.consume<user>(user{7}) == 1);  // passed on, not constructed from itself
  CHECK(seen == "1x, y2, 07");
}

TEST_CASE("a variant may be constructed in place from one of its alternatives", "[T3]") {
  consumer events;
  int seen = 0;
  events.handler([&](const order& event) { seen = event.id; });
  CHECK(events.consume<std::variant<user, order>>(order{3}) == 1);
  CHECK(seen == 3);
}

TEST_CASE("a handler's context of an event has no topic") {
  consumer events;
  const msgbus::context* seen = nullptr;
  events.handler([&](const user&, const msgbus::context& context) {
    CHECK(context.topic().empty());
    CHECK(context.attempt() == 1);
    seen = &context;
  });
  CHECK(events.consume(user{}) == 1);
  CHECK(seen != nullptr);
}

TEST_CASE("a handler that is registered for any_event gets every event, generic or not", "[T4]") {
  msgbus::sync::consumer events;
  int seen = 0;
  events.handler<msgbus::any_event>([&](const auto& event) { seen += event.name() == "int"; });
  events.handler<msgbus::any_event, double>([&](msgbus::any_event) { ++seen; });
  CHECK(events.consume(1) == 2);
  CHECK(seen == 2);
}

}  // namespace consumer_handlers_test
