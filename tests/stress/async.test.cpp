// Async components on a thread pool, used by several threads at once, cancelled and closed at
// moments that nobody chose. What was offered is accounted for, and nothing is left running.

#include <msgbus/async.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace async_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus_test::expect;
using msgbus_test::hop;
using msgbus_test::is_conserved;
using msgbus_test::rounds;
using msgbus_test::thread_group;
using namespace std::chrono_literals;

namespace {

struct ping {
  int number = 0;
};

template <class T>
T wait_for(std::future<T>&& result) {
  return msgbus_test::end_of(std::move(result), "an awaitable");
}
template <class T>
T wait_for(asio::thread_pool& pool, awaitable<T> what) {
  return wait_for(asio::co_spawn(asio::make_strand(pool), std::move(what), asio::use_future));
}

constexpr msgbus::overflow every_policy[] = {msgbus::overflow::suspend, msgbus::overflow::reject,
                                             msgbus::overflow::drop_newest,
                                             msgbus::overflow::drop_oldest};

}  // namespace

TEST_CASE("every verb from several threads, on components that several threads run",
          "[A7][D7][A1]") {
  for (const msgbus::overflow how : every_policy) {
    asio::thread_pool pool(2);
    bus::consumer first(pool.get_executor(), {.capacity = 4, .on_full = how});
    bus::consumer second(pool.get_executor(), {.capacity = 4, .on_full = how, .concurrency = 2});
    bus::producer producer;
    producer.bind(first, second);
    std::atomic<int> running{0};
    std::atomic<long> handled{0};
    for (auto* each : {&first, &second}) {
      each->observe(std::make_shared<msgbus::observer>());
      each->handler([&](const ping& event) -> awaitable<void> {
        ++running;
        const std::shared_ptr<void> end(nullptr, [&](void*) { --running; });
        if (event.number % 3 == 0) co_await hop();
        if (event.number % 7 == 0) throw std::runtime_error("seven");
      });
      each->handler([&](const ping&) { ++handled; });
    }
    const auto use = [&](int from) -> awaitable<void> {
      using namespace asio::experimental::awaitable_operators;
      for (int i = 0; i < rounds(60); ++i) {
        const int number = from * 1000 + i;
        try {
          switch (i % 6) {
            case 0: co_await producer.dispatch<ping>(number); break;
            case 1: co_await first.consume<ping>(number); break;
            case 2: (void)co_await producer.send<ping>(number); break;
            case 3: (void)co_await second.send<ping>(number); break;
            case 4: (void)producer.post<ping>(number); break;
            default: (void)co_await (producer.dispatch<ping>(number) || hop(2)); break;
          }
        } catch (const std::runtime_error&) {  // sevens, and dispatch_error of two of them
        }
      }
    };
    std::vector<std::future<void>> all;
    for (int from = 0; from < 4; ++from) {
      all.push_back(asio::co_spawn(asio::make_strand(pool), use(from), asio::use_future));
    }
    msgbus_test::end_of_all(all, "the senders");
    for (auto* each : {&first, &second}) {
      const auto report = wait_for(pool, each->drain(msgbus_test::deadline));
      CHECK(report.abandoned == 0);
      CHECK(is_conserved(each->stats()));
      CHECK(each->waiting() == 0);
    }
    CHECK(running == 0);
    CHECK(handled > 0);
  }
}

TEST_CASE("verbs that are cancelled from another thread, at any moment", "[A9][A1][A7]") {
  asio::thread_pool pool(2);
  bus::consumer consumer(pool.get_executor(), {.capacity = 2});
  consumer.observe(std::make_shared<msgbus::observer>());
  std::atomic<int> running{0};
  std::atomic<long> begun{0};
  consumer.handler([&](const ping& event) -> awaitable<void> {
    ++begun;
    ++running;
    const std::shared_ptr<void> end(nullptr, [&](void*) { --running; });
    co_await hop(event.number % 5);
  });
  std::uint64_t sent = 0, lost = 0;
  for (int i = 0; i < rounds(200); ++i) {
    asio::cancellation_signal signal;
    const auto strand = asio::make_strand(pool);
    std::promise<std::size_t> ended;
    auto result = ended.get_future();
    auto on_end = [&ended](const std::exception_ptr& failure, msgbus::receipt taken) {
      ended.set_value(failure ? 0 : taken.admitted);
    };
    asio::post(strand, [&] {
      asio::co_spawn(strand, consumer.send<ping>(i),
                     asio::bind_cancellation_slot(signal.slot(), on_end));
    });
    for (int spin = 0; spin < i % 50; ++spin) std::this_thread::yield();
    std::promise<void> emitted;
    asio::post(strand, [&] {
      signal.emit(asio::cancellation_type::terminal);
      emitted.set_value();
    });
    emitted.get_future().get();
    (wait_for(std::move(result)) ? sent : lost) += 1;
  }
  (void)wait_for(pool, consumer.drain(msgbus_test::deadline));
  CHECK(running == 0);
  CHECK(static_cast<std::uint64_t>(begun) == sent);
  CHECK(consumer.stats().accepted == sent);
  CHECK(sent + lost == static_cast<std::uint64_t>(rounds(200)));
  CHECK(is_conserved(consumer.stats()));
}

TEST_CASE("a drain without time loses no message of senders that have not seen it", "[A7][A10]") {
  asio::thread_pool pool(2);
  for (int round = 0; round < rounds(200); ++round) {
    bus::consumer consumer(pool, {.capacity = 64, .concurrency = round % 2 == 0 ? 1U : 4U});
    consumer.handler([](const ping&) -> awaitable<void> { return hop(); });
    std::atomic<std::uint64_t> admitted{0};
    std::vector<std::thread> senders;
    for (int sender = 0; sender < 2; ++sender) {
      senders.emplace_back([&] {
        for (int i = 0; i < 100; ++i) admitted += consumer.post(ping{i}).admitted;
      });
    }
    (void)wait_for(pool, consumer.drain(0s));
    for (std::thread& each : senders) each.join();
    // The first drain has written off what was left; the second waits until all is quiet.
    (void)wait_for(pool, consumer.drain(msgbus_test::deadline));
    const msgbus::counters all = consumer.stats();
    REQUIRE(all.accepted == admitted.load());
    REQUIRE(is_conserved(all));
  }
  pool.join();
}

TEST_CASE("components that are closed, drained or destroyed while others use them",
          "[A10][A7][D8]") {
  asio::thread_pool pool(2);
  for (int round = 0; round < rounds(60); ++round) {
    bus::producer producer;
    auto consumer = std::make_unique<bus::consumer>(
        pool.get_executor(), bus::mailbox_options{.capacity = 4,
                                                  .on_full = every_policy[round % 4],
                                                  .concurrency = 1u + unsigned(round) % 2});
    producer.bind(*consumer);
    // Handlers may begin and run after their component was destroyed: each keeps what it counts in.
    const auto running = std::make_shared<std::atomic<int>>(0);
    consumer->handler([running](const ping& event) -> awaitable<void> {
      ++*running;
      const std::shared_ptr<void> end(nullptr, [at = running.get()](void*) { --*at; });
      co_await hop(event.number % 4);
    });
    auto stream = consumer->stream_of<int>({.capacity = 2, .on_full = msgbus::overflow::reject});
    const auto use = [&](int from) -> awaitable<void> {
      for (int i = 0; i < 30; ++i) {
        try {
          (void)producer.post<int>(i);
          if ((i + from) % 2) {
            (void)co_await producer.send<ping>(i);
          } else {
            co_await producer.dispatch<ping>(i);
          }
        } catch (const msgbus::error& e) {
          expect(e.code() == msgbus::errc::closed, "only a closed component refuses");
        }
      }
    };
    const auto take = [&]() -> awaitable<void> {
      while (co_await stream.next()) {
      }
    };
    std::vector<std::future<void>> all;
    for (int from = 0; from < 2; ++from) {
      all.push_back(asio::co_spawn(asio::make_strand(pool), use(from), asio::use_future));
    }
    auto taking = asio::co_spawn(asio::make_strand(pool), take(), asio::use_future);
    for (int spin = 0; spin < (round % 10) * 20; ++spin) std::this_thread::yield();
    if (round % 3 == 0) {
      consumer.reset();
    } else {
      if (round % 3 == 1) consumer->close();
      const auto patience = round % 2 ? 0s : std::chrono::seconds(msgbus_test::deadline);
      (void)wait_for(pool, consumer->drain(patience));
      CHECK(is_conserved(consumer->stats()));  // it throws nothing: the coroutines still run
    }
    msgbus_test::end_of_all(all, "the senders");
    wait_for(std::move(taking));
    consumer.reset();
    const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
    while (running.use_count() != 1 && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    CHECK(running.use_count() == 1);  // none is left that could begin
    CHECK(*running == 0);
  }
}

TEST_CASE("handlers come and go while events are posted and awaited", "[D4][D6]") {
  asio::thread_pool pool(2);
  bus::consumer consumer(pool.get_executor(),
                         {.capacity = 64, .on_full = msgbus::overflow::reject});
  consumer.handler([](const ping&) {});
  thread_group posting;
  posting.repeat([&] {
    for (int i = 0; i < 10; ++i) (void)consumer.post(ping{i});
    expect(wait_for(pool, consumer.consume<ping>(1)) >= 1, "the lasting one runs");
  });
  for (int round = 0; round < rounds(100); ++round) {
    auto pointed = std::make_unique<std::atomic<int>>(0);
    const auto captured = std::make_shared<int>(0);
    msgbus::subscription mine =
        consumer.handler([at = pointed.get(), captured](const ping& event) -> awaitable<void> {
          co_await hop(event.number % 3);
          ++*at;
        });
    if (round % 4 == 0) posting.wait_for_turns(1);
    mine.cancel();
    wait_for(pool, mine.cancelled());
    expect(captured.use_count() == 1, "captures are gone");
    pointed.reset();
  }
  posting.stop();
  (void)wait_for(pool, consumer.drain(msgbus_test::deadline));
  CHECK(is_conserved(consumer.stats()));
}

TEST_CASE("operations are executed by several threads, elsewhere and again", "[A2][A7]") {
  asio::thread_pool pool(2), callers(2);
  bus::service service(pool.get_executor());
  service.observe(std::make_shared<msgbus::observer>());
  std::atomic<int> calls{0};
  auto add = service.handler("add",
                             [&](int a, std::string b) -> awaitable<std::string> {
                               co_await hop();
                               if (++calls % 5 == 0) throw std::runtime_error("five");
                               co_return b + std::to_string(a);
                             },
                             {.executor = callers.get_executor(),
                              .timeout = 1min,
                              .retry = {.attempts = 9, .backoff = 0s}});
  const auto use = [&](int from) -> awaitable<void> {
    for (int i = 0; i < rounds(50); ++i) {
      const std::string text = co_await add(i, "text");
      expect(text == "text" + std::to_string(i), "each call gets its own result");
      const auto number = co_await service.execute<std::string>("add", from, "");
      expect(number == std::to_string(from), "by name too");
    }
  };
  std::vector<std::future<void>> all;
  for (int from = 0; from < 3; ++from) {
    all.push_back(asio::co_spawn(asio::make_strand(callers), use(from), asio::use_future));
  }
  msgbus_test::end_of_all(all, "the senders");
  CHECK(service.stats().handled == 3u * 2u * static_cast<unsigned>(rounds(50)));
  CHECK(is_conserved(service.stats()));
}

TEST_CASE("a context is destroyed while other threads complete the waits of its coroutines",
          "[A12][A7]") {
  using namespace asio::experimental::awaitable_operators;
  asio::thread_pool pool(2);
  std::minstd_rand random(17);
  for (int round = 0; round < rounds(100); ++round) {
    bus::consumer consumer(pool.get_executor(), {.capacity = 2});
    bus::producer producer;
    producer.bind(consumer);
    consumer.observe(std::make_shared<msgbus::observer>());
    consumer.handler([](const ping& event) -> awaitable<void> { co_await hop(event.number % 4); },
                     {.timeout = round % 2 ? 1min : 0s});
    auto stream =
        consumer.stream_of<ping>({.capacity = 2, .on_full = msgbus::overflow::drop_oldest});
    std::optional<asio::io_context> here(std::in_place, 1);
    const auto use = [&](int from) -> awaitable<void> {
      for (int i = from;; ++i) {
        switch (i % 5) {
          case 0: co_await consumer.consume<ping>(i); break;
          case 1: co_await producer.dispatch<ping>(i); break;
          case 2: (void)co_await (consumer.consume<ping>(i) || hop(2)); break;
          case 3: (void)co_await stream.next(); break;
          default: (void)co_await consumer.send<ping>(i); break;
        }
      }
    };
    for (int from = 0; from < 5; ++from) asio::co_spawn(*here, use(from), asio::detached);
    for (auto steps = random() % 200; steps != 0; --steps) here->poll_one();
    here.reset();
    (void)wait_for(pool, consumer.drain(msgbus_test::deadline));
    CHECK(is_conserved(consumer.stats()));
  }
}

TEST_CASE("messages that their senders handle come one at a time, in each sender's order",
          "[A2][A4]") {
  constexpr int senders = 5;
  const int messages = rounds(2000);
  struct sent {
    int from;
    int number;
  };
  asio::thread_pool pool(3);
  bus::publisher from;
  bus::subscriber to(pool.get_executor());
  msgbus::component::core_access::of(to)->mailbox.allow_handling_by_senders();
  std::vector<int> next(senders);  // without a lock: one message is handled at a time
  int disorders = 0;
  to.subscribe("n", [&](const sent& one) {
    disorders += one.number == next[static_cast<std::size_t>(one.from)]++ ? 0 : 1;
  });
  from.bind(to);
  const auto send_all = [](bus::publisher& by, int sender, int count) -> awaitable<void> {
    for (int i = 0; i < count; ++i) {
      const sent one{sender, i};
      auto sending = by.send(one, "n");
      (void)co_await std::move(sending);
    }
  };
  for (int i = 0; i < 3; ++i) asio::co_spawn(pool, send_all(from, i, messages), asio::detached);
  std::vector<std::thread> others;  // none of the pool's: what they send waits
  for (int i = 3; i < senders; ++i) {
    others.emplace_back([&, i] {
      for (int number = 0; number < messages; ++number) {
        while (from.post(sent{i, number}, "n").admitted == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& each : others) each.join();
  pool.join();
  CHECK(disorders == 0);
  CHECK(next == std::vector<int>(senders, messages));
  CHECK(to.stats().handled == static_cast<std::uint64_t>(senders * messages));
  CHECK(is_conserved(to.stats()));
}

}  // namespace async_test
