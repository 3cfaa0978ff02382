// A4: `co_await consume`, on the executor that the caller is on: what awaiting a handler costs that
// need not wait for anything.

#include "async_buses.hpp"
#include "awaiting.hpp"
#include "workloads.hpp"

#include <coroutine>
#include <exception>

namespace bench {

namespace {

struct on_one_thread {
  asio::io_context context{1};
};

/// The least that a coroutine which is awaited can be: no executor, no cancellation, and only
/// others of its kind may await it.
class task {
 public:
  struct promise_type {
    task get_return_object() {
      return task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct resume_awaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          return done.promise().awaiter;
        }
        void await_resume() noexcept {}
      };
      return resume_awaiter{};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }

    std::coroutine_handle<> awaiter = std::noop_coroutine();
  };

  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  ~task() {
    if (frame_) frame_.destroy();
  }

  void run() { frame_.resume(); }

  bool await_ready() noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    frame_.promise().awaiter = awaiter;
    return frame_;
  }
  void await_resume() noexcept {}

 private:
  std::coroutine_handle<promise_type> frame_;
};

task handled_by_task(order_created) {
  ++counter;
  co_return;
}

task all_by_tasks(std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) {
    const order_created event{i, 9.99};
    co_await handled_by_task(event);
    clobber();
  }
}

subject hand_written() {
  auto handled = std::make_shared<std::uint64_t>(0);
  return {[handled](std::uint64_t messages) {
            const std::uint64_t before = counter;
            all_by_tasks(messages).run();
            *handled += counter - before;
          },
          [handled] { return *handled; }};
}

template <class Once>
contender on_context(std::string name, role what, Once once) {
  return {std::move(name), what,
          [once] { return awaiting(std::make_shared<on_one_thread>(), once); }};
}

struct consuming {
  explicit consuming(bool with_coroutine) {
    if (with_coroutine) {
      bus.handler([](const order_created&) -> asio::awaitable<void> {
        ++counter;
        co_return;
      });
    } else {
      bus.handler([](const order_created&) { ++counter; });
    }
    bound.bind(bus);
  }

  asio::io_context context{1};
  msgbus::async::consumer bus{context.get_executor()};
  msgbus::async::producer bound;
};

template <class Once>
contender by_bus(std::string name, bool with_coroutine, Once once) {
  return {std::move(name), role::project, [with_coroutine, once] {
            return awaiting(std::make_shared<consuming>(with_coroutine), once);
          }};
}

}  // namespace

workload a4_consume() {
  using enum target::kind;
  const std::string plain = "msgbus consumer.consume, plain handler";
  const std::string coroutine = "msgbus consumer.consume, coroutine handler";
  const std::string dispatch = "msgbus producer.dispatch, coroutine handler";
  const std::string function = "co_await of a function";
  workload w{"A4", "Consume, awaited on the same thread", {}, {}};
  w.contenders = {
      on_context(function, role::baseline,
                 [](on_one_thread&, std::uint64_t i) {
                   return handled_by_function(order_created{i, 9.99});
                 }),
      {"co_await of a hand-written task", role::reference, hand_written},
      by_bus(plain, false,
             [](consuming& to, std::uint64_t i) { return to.bus.consume(order_created{i, 9.99}); }),
      by_bus(coroutine, true,
             [](consuming& to, std::uint64_t i) { return to.bus.consume(order_created{i, 9.99}); }),
      by_bus(
          "msgbus producer.dispatch, plain handler", false,
          [](consuming& to, std::uint64_t i) { return to.bound.dispatch(order_created{i, 9.99}); }),
      by_bus(
          dispatch, true,
          [](consuming& to, std::uint64_t i) { return to.bound.dispatch(order_created{i, 9.99}); }),
      // What Asio has to run a coroutine on an executor and wait for its end.
      on_context("asio co_spawn, awaited", role::peer,
                 [](on_one_thread& on, std::uint64_t i) {
                   return asio::co_spawn(on.context, handled_by_function(order_created{i, 9.99}),
                                         asio::use_awaitable);
                 }),
  };
  w.targets = {
      {at_most_times, plain, 1.8, function},    {at_most_times, coroutine, 3, function},
      {at_most_times, dispatch, 3.5, function}, {at_most_allocations, plain, 0.01},
      {at_most_allocations, coroutine, 0.01},   {at_most_allocations, dispatch, 0.01},
  };
  return w;
}

}  // namespace bench
