#include <msgbus/testing/faults.hpp>

#include <msgbus/context.hpp>
#include <msgbus/depends.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/testing/stepping_executor.hpp>
#include <msgbus/yield.hpp>

#include "support/catch.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <string>
#include <thread>
#include <vector>

namespace faults_test {

using msgbus::detail::signature;
using msgbus::detail::signature_of;
using msgbus::testing::faults;
using msgbus::testing::injected_fault;
using msgbus::testing::stepping_context;
using msgbus_test::contains;

namespace {

struct order {
  int id = 0;
};

inline constexpr msgbus::required<int&> get_count{"count"};
using count = msgbus::depends<get_count>;

// The numbers of the failing calls among the first ten.
std::string failing(faults chosen) {
  std::string all;
  const auto f = chosen.wrap([](int) {});
  for (int i = 0; i < 10; ++i) {
    try {
      f(i);
      all += '.';
    } catch (const injected_fault&) {
      all += 'x';
    }
  }
  return all;
}

struct projection {
  void on_order(const order& event) { last = event.id; }
  int last = 0;
};

}  // namespace

TEST_CASE("faults are thrown from the selected calls") {
  CHECK(failing(faults::never()) == "..........");
  CHECK(failing(faults::always()) == "xxxxxxxxxx");
  CHECK(failing(faults::nth(3)) == "..x.......");
  CHECK(failing(faults::every(3)) == "..x..x..x.");
  CHECK(failing(faults([](std::size_t call) { return call < 3; })) == "xx........");
  CHECK(failing(faults::sometimes(0, 1)) == "..........");
  CHECK(failing(faults::sometimes(1, 1)) == "xxxxxxxxxx");
  const std::string drawn = failing(faults::sometimes(0.5, 1));
  CHECK(drawn.find('x') != std::string::npos);
  CHECK(drawn.find('.') != std::string::npos);
  CHECK(drawn == failing(faults::sometimes(0.5, 1)));
  CHECK(drawn != failing(faults::sometimes(0.5, 2)));
}

TEST_CASE("a fault is thrown instead of the call, or after it") {
  int calls = 0;
  auto call = [&](int by) { return calls += by; };
  auto before = faults::nth(2);
  const auto first = before.wrap(call);
  CHECK(first(1) == 1);
  CHECK_THROWS_WITH(first(1), contains("call 2"));
  CHECK(calls == 1);
  CHECK(before.calls() == 2);
  CHECK(before.thrown() == 1);

  const auto second = faults::nth(1).after().wrap(call);
  CHECK_THROWS_AS(second(1), injected_fault);
  CHECK(calls == 2);
}

TEST_CASE("a fault throws the given exception") {
  const auto f = faults::always().throwing(std::out_of_range("too far")).wrap([] {});
  CHECK_THROWS_AS(f(), std::out_of_range);
  CHECK_THROWS_WITH(f(), "too far");
  const auto own = faults::always().after().wrap([] { throw std::logic_error("its own"); });
  CHECK_THROWS_WITH(own(), "its own");
}

TEST_CASE("a wrapped callable has the signature of the original") {
  const faults some = faults::never();
  const auto handler = some.wrap([](const order&, count, const msgbus::context&) { return 1; });
  static_assert(std::is_same_v<signature_of<decltype(handler)>,
                               signature<int, const order&, count, const msgbus::context&>>);
  const auto dependency = some.wrap([](msgbus::yield<int&>, count) {});
  static_assert(std::is_same_v<signature_of<decltype(dependency)>,
                               signature<void, msgbus::yield<int&>, count>>);
  const auto generic = some.wrap<order>([](const auto& event, count c) { return event.id + *c; });
  static_assert(
      std::is_same_v<signature_of<decltype(generic)>, signature<int, const order&, count>>);
  const auto by_reference = some.wrap([n = 0]() mutable -> int& { return n; });
  static_assert(std::is_same_v<signature_of<decltype(by_reference)>, signature<int&>>);

  // then: the calls have their results
  int n = 5;
  CHECK(handler(order{}, n, msgbus::detail::no_context) == 1);
  CHECK(generic(order{2}, n) == 7);
  ++by_reference();
  CHECK(by_reference() == 1);
}

TEST_CASE("a member function is wrapped with its object") {
  projection orders;
  const auto handler = faults::nth(2).wrap(&projection::on_order, orders);
  handler(order{1});
  CHECK_THROWS_AS(handler(order{2}), injected_fault);
  CHECK(orders.last == 1);
}

TEST_CASE("several callables may share one fault plan") {
  const auto shared = faults::nth(2);
  const auto first = shared.wrap([] {});
  const auto second = shared.wrap([](int) {});
  first();
  CHECK_THROWS_AS(second(1), injected_fault);
  first();
  CHECK(shared.calls() == 3);
}

TEST_CASE("arguments reach a wrapped callable unchanged") {
  const auto take = faults::never().wrap([](std::unique_ptr<int> given) { return *given; });
  CHECK(take(std::make_unique<int>(7)) == 7);
  int changed = 0;
  faults::never().wrap([](int& n) { n = 3; })(changed);
  CHECK(changed == 3);
}

TEST_CASE("a coroutine fails before its first suspension, or when it has ended") {
  stepping_context context;
  std::string done;
  auto work = [&](std::string event) -> asio::awaitable<int> {
    done += 'b';
    co_await asio::post(asio::use_awaitable);
    done += event;
    co_return 1;
  };
  // given: a coroutine without faults
  const auto well = faults::never().wrap(work);
  static_assert(
      std::is_same_v<signature_of<decltype(well)>, signature<asio::awaitable<int>, std::string>>);
  CHECK(context.run(well("e")) == 1);
  CHECK(done == "be");

  // then: a fault before the call prevents its first line
  const auto before = faults::always().wrap(work);
  CHECK_NOTHROW((void)before("e"));  // not awaited
  CHECK_THROWS_AS(context.run(before("e")), injected_fault);
  CHECK(done == "be");

  // then: a fault after the call is thrown when the coroutine has ended
  const auto after = faults::always().after().wrap(work);
  CHECK_THROWS_AS(context.run(after("e")), injected_fault);
  CHECK(done == "bebe");
}

TEST_CASE("faults are counted on any thread") {
  const auto some = faults::every(2);
  std::vector<std::thread> calling;
  for (int t = 0; t < 4; ++t) {
    calling.emplace_back([f = some.wrap([] {})] {
      for (int i = 0; i < 100; ++i) {
        try {
          f();
        } catch (const injected_fault&) {
        }
      }
    });
  }
  for (std::thread& t : calling) t.join();
  CHECK(some.calls() == 400);
  CHECK(some.thrown() == 200);
}

TEST_CASE("components accept wrapped handlers and dependencies") {
  msgbus::sync::consumer consumer;
  int n = 0;
  auto handling = faults::nth(2);
  auto providing = faults::nth(3);
  consumer.handler(handling.wrap([](const order& event, count c) { *c += event.id; }));
  consumer.handler<int>(handling.wrap<int>([](const auto& event, count c) { *c += event; }));
  consumer.override(get_count, providing.wrap([&]() -> int& { return n; }));
  consumer.consume(order{1});
  CHECK_THROWS_AS(consumer.consume(10), injected_fault);
  CHECK(n == 1);
  CHECK_THROWS_AS(consumer.consume(order{100}), injected_fault);
  CHECK(n == 1);
}

}  // namespace faults_test
