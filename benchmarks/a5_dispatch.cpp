// A5: `co_await dispatch` to four consumers, whose handlers do not wait for anything. Asio's way to
// run four coroutines together is its operator &&, which spawns each of them.

#include "async_buses.hpp"
#include "awaiting.hpp"
#include "workloads.hpp"

#include <asio/experimental/awaitable_operators.hpp>

namespace bench {

namespace {

struct on_one_thread {
  asio::io_context context{1};
};

asio::awaitable<void> handled_by_coroutine(order_created) {
  ++counter;
  co_return;
}

asio::awaitable<std::size_t> one_after_the_other(order_created event) {
  co_await handled_by_coroutine(event);
  co_await handled_by_coroutine(event);
  co_await handled_by_coroutine(event);
  co_await handled_by_coroutine(event);
  co_return 4;
}

asio::awaitable<void> together(order_created event) {
  using namespace asio::experimental::awaitable_operators;
  return handled_by_coroutine(event) && handled_by_coroutine(event) &&
         handled_by_coroutine(event) && handled_by_coroutine(event);
}

struct dispatching_to_four {
  explicit dispatching_to_four(bool with_coroutines) {
    for (msgbus::async::consumer* each : {&first, &second, &third, &fourth}) {
      if (with_coroutines) {
        each->handler([](const order_created& event) { return handled_by_coroutine(event); });
      } else {
        each->handler([](const order_created&) { ++counter; });
      }
    }
    bus.bind(first, second, third, fourth);
  }

  asio::io_context context{1};
  msgbus::async::consumer first{context.get_executor()};
  msgbus::async::consumer second{context.get_executor()};
  msgbus::async::consumer third{context.get_executor()};
  msgbus::async::consumer fourth{context.get_executor()};
  msgbus::async::producer bus;
};

contender by_bus(std::string name, bool with_coroutines) {
  auto make = [with_coroutines] {
    return awaiting(std::make_shared<dispatching_to_four>(with_coroutines),
                    [](dispatching_to_four& to, std::uint64_t i) {
                      return to.bus.dispatch(order_created{i, 9.99});
                    });
  };
  return {std::move(name), role::project, make, 4};
}

template <class Once>
contender on_context(std::string name, role what, Once once) {
  return {std::move(name), what,
          [once] { return awaiting(std::make_shared<on_one_thread>(), once); }, 4};
}

}  // namespace

workload a5_dispatch() {
  using enum target::kind;
  const std::string plain = "msgbus producer.dispatch, plain handlers";
  const std::string coroutines = "msgbus producer.dispatch, coroutine handlers";
  const std::string asio_and = "asio a && b && c && d";
  const std::string in_turn = "co_await of four functions in turn";
  workload w{"A5", "Dispatch to 4 consumers, awaited on the same thread", {}, {}};
  w.contenders = {
      on_context(in_turn, role::baseline,
                 [](on_one_thread&, std::uint64_t i) {
                   return one_after_the_other(order_created{i, 9.99});
                 }),
      by_bus(plain, false),
      by_bus(coroutines, true),
      on_context(asio_and, role::peer,
                 [](on_one_thread&, std::uint64_t i) { return together(order_created{i, 9.99}); }),
  };
  w.targets = {
      {at_most_times, plain, 1.3, in_turn},       {at_most_times, coroutines, 4, in_turn},
      {at_most_times, coroutines, 0.4, asio_and}, {at_most_allocations, plain, 0.01},
      {at_most_allocations, coroutines, 1.01},
  };
  return w;
}

}  // namespace bench
