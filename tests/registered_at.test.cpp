#include <msgbus/registered_at.hpp>

#include <msgbus/graph_source.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"

#include <sstream>
#include <string>

namespace registered_at_test {

using msgbus::registered_at;

namespace {

struct order {
  int id = 0;
};
struct books {
  void add(const order&) {}
};
void train_model(int) {}
inline constexpr msgbus::topic<order> placed{"orders.placed"};
int get_limit() { return 1; }

constexpr registered_at here(registered_at line = std::source_location::current()) { return line; }

/// The lines at which the handlers of the only component were attached.
template <class Component>
std::vector<std::uint32_t> lines_of(const Component& component) {
  std::vector<std::uint32_t> lines;
  const msgbus::graph all = msgbus::graph_of(component);
  for (const auto& each : all.components.at(0).handlers) {
    CHECK(each.attached_at.file == __FILE__);
    lines.push_back(each.attached_at.line);
  }
  return lines;
}

}  // namespace

TEST_CASE("a default argument is the line of the call") {
  const registered_at line = here();
  CHECK(line.line() == __LINE__ - 1);
  CHECK(line.file() == __FILE__);
}

TEST_CASE("every way to attach a handler of events knows its line") {
  msgbus::sync::consumer consumer;
  books all;
  const std::uint32_t first = __LINE__ + 1;
  consumer.handler([](const order&) {});
  consumer.handler([](const order&) {}, {});
  consumer.handler<order, int>([](const auto&) {});
  consumer.handler<order, int>([](const auto&) {}, {});
  consumer.handler(&books::add, all);
  consumer.handler<order>(&books::add, all);
  CHECK(lines_of(consumer) ==
        std::vector<std::uint32_t>{first, first + 1, first + 2, first + 3, first + 4, first + 5});
}

TEST_CASE("every way to attach a handler of messages knows its line") {
  msgbus::sync::subscriber subscriber;
  books all;
  const std::uint32_t first = __LINE__ + 1;
  subscriber.subscribe("a", [](const order&) {});
  subscriber.subscribe("a", [](const order&) {}, {});
  subscriber.subscribe({"a", "b"}, [](const order&) {});
  subscriber.subscribe({"a", "b"}, [](const order&) {}, {});
  subscriber.subscribe<order>("a", [](const auto&) {});
  subscriber.subscribe<order>("a", [](const auto&) {}, {});
  subscriber.subscribe<order>({"a", "b"}, [](const auto&) {});
  subscriber.subscribe<order>({"a", "b"}, [](const auto&) {}, {});
  subscriber.subscribe(placed, [](const order&) {});
  subscriber.subscribe(placed, [](const order&) {}, {});
  subscriber.subscribe("a", &books::add, all);
  subscriber.subscribe({"a", "b"}, &books::add, all);
  subscriber.subscribe(placed, &books::add, all);
  const std::vector<std::uint32_t> lines = lines_of(subscriber);
  REQUIRE(lines.size() == 13);
  for (std::uint32_t i = 0; i < lines.size(); ++i) CHECK(lines[i] == first + i);
}

TEST_CASE("every way to add an operation knows its line") {
  msgbus::sync::service service;
  books all;
  const std::uint32_t first = __LINE__ + 1;
  (void)service.handler("one", [](int) {});
  (void)service.handler("two", [](int) {}, {});
  (void)service.handler("three", &books::add, all);
  (void)service.handler("four", &books::add, all, {});
  (void)service.handler<train_model>();
  CHECK(lines_of(service) ==
        std::vector<std::uint32_t>{first, first + 1, first + 2, first + 3, first + 4});
}

TEST_CASE("a function that attaches for its callers passes their line on") {
  msgbus::sync::consumer consumer;
  const auto audited = [&](auto f, registered_at line = std::source_location::current()) {
    consumer.handler(std::move(f), line);
  };
  audited([](const order&) {});
  CHECK(lines_of(consumer) == std::vector<std::uint32_t>{__LINE__ - 1});
}

TEST_CASE("an override knows its line") {
  msgbus::sync::consumer consumer;
  consumer.handler([](const order&, msgbus::depends<get_limit>) {});
  const auto overridden = [&] {
    return msgbus::graph_of(consumer).components.at(0).handlers.at(0).dependencies.at(0);
  };
  CHECK(overridden().overridden_by.empty());
  consumer.override(get_limit, [] { return 2; });
  const std::uint32_t lasting = __LINE__ - 1;
  CHECK(overridden().overridden_at.line == lasting);
  {
    const auto guard = consumer.scoped_override(get_limit, [] { return 3; });
    CHECK(overridden().overridden_at.line == __LINE__ - 1);
    CHECK(overridden().overridden_at.file == __FILE__);
  }
  CHECK(overridden().overridden_at.line == lasting);
}

TEST_CASE("a line of the program is printed as its file and its number") {
  const registered_at here = std::source_location::current();
  std::ostringstream out;
  out << here;
  CHECK(out.str() == std::string(__FILE__) + ':' + std::to_string(here.line()));
}

}  // namespace registered_at_test
