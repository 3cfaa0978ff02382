#include <msgbus/detail/bridge/outbound.hpp>

#include "support/catch.hpp"
#include "support/refusing.hpp"

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/transport/memory.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::memory_broker;
using msgbus::receipt;
using msgbus::async::publisher;
using msgbus::async::subscriber;

namespace outbound_test {

namespace {

/// Two bridges on one context of Asio's own, as programs have it.
struct two_bridges {
  asio::io_context here{1};
  memory_broker broker;
  bridge out{broker.connect(here.get_executor())};
  bridge in{broker.connect(here.get_executor())};
  publisher from;
  subscriber to{here.get_executor()};
  std::vector<int> got;

  two_bridges() {
    to.subscribe("n", [this](int number) { got.push_back(number); });
    (void)in.inbound<int>(to, "n");
    here.poll();
  }
  /// Runs the function where the links run.
  template <class F>
  void on_executor(F f) {
    asio::post(here, f);
    here.restart();
    here.poll();
  }
};

}  // namespace

TEST_CASE("a message that is sent on the bridge's executor is passed on before send returns",
          "[B1]") {
  two_bridges all;
  const bridge_link link = all.out.outbound<int>(all.from, "n");
  std::uint64_t sent = 0;
  receipt given;
  all.on_executor([&] {
    given = all.from.post(7, "n");
    sent = link.stats().sent;
  });
  CHECK(given.admitted == 1);
  CHECK(sent == 1);
  CHECK(all.got == std::vector{7});
}

TEST_CASE("a message that is sent while another one is being sent does not change that", "[B1]") {
  asio::io_context here(1);
  memory_broker broker;
  const auto wire =
      std::make_shared<msgbus_test::refusing_transport>(broker.connect(here.get_executor()));
  bridge out(wire);
  bridge in(broker.connect(here.get_executor()));
  publisher first, second;
  subscriber to(here.get_executor());
  std::vector<std::string> got;
  to.subscribe("*", [&](int number, const context& ctx) {
    got.push_back(std::string(ctx.topic()) + std::to_string(number));
  });
  (void)in.inbound<int>(to, "*");
  (void)out.outbound<int>(first, "first");
  (void)out.outbound<int>(second, "second");
  wire->before_publish = [&] { (void)second.post(2, "second"); };
  asio::post(here, [&] { (void)first.post(1, "first"); });
  here.poll();
  CHECK(got == std::vector<std::string>{"second2", "first1"});
}

TEST_CASE("a message from another thread than the executor's waits for the executor", "[A2]") {
  two_bridges all;
  const bridge_link link = all.out.outbound<int>(all.from, "n");
  CHECK(all.from.post(7, "n").admitted == 1);
  CHECK(link.stats().sent == 0);
  CHECK(link.stats().waiting == 1);
  all.on_executor([] {});
  CHECK(link.stats().sent == 1);
  CHECK(all.got == std::vector{7});
}

TEST_CASE("a message on the executor does not overtake those that wait there", "[A4][B1]") {
  two_bridges all;
  const bridge_link link = all.out.outbound<int>(all.from, "n");
  std::uint64_t waiting = 0;
  asio::post(all.here, [&] {
    (void)all.from.post(2, "n");
    waiting = link.stats().waiting;
  });
  (void)all.from.post(1, "n");
  all.on_executor([&] { (void)all.from.post(3, "n"); });
  CHECK(waiting == 2);
  CHECK(all.got == std::vector{1, 2, 3});
  CHECK(link.stats().sent == 3);
  CHECK(link.stats().waiting == 0);
}

TEST_CASE("a coroutine that sends on and on lets others run", "[A11]") {
  constexpr int messages = 1000;
  two_bridges all;
  const bridge_link link = all.out.outbound<int>(all.from, "n");
  std::vector<std::uint64_t> sent_before;
  const auto sends = [](publisher& from) -> asio::awaitable<void> {
    for (int i = 0; i < messages; ++i) {
      auto sending = from.send(i, "n");
      (void)co_await std::move(sending);
    }
  };
  asio::co_spawn(all.here, sends(all.from), asio::detached);
  all.on_executor([&] { sent_before.push_back(link.stats().sent); });
  REQUIRE(sent_before.size() == 1);
  CHECK(sent_before.front() < 100);
  CHECK(link.stats().sent == messages);
  CHECK(all.got.size() == messages);
}

TEST_CASE("a message that cannot be encoded is counted, and the next one is sent", "[B5]") {
  two_bridges all;
  const bridge_link link = all.out.outbound<std::string>(all.from, "n");
  all.on_executor([&] {
    CHECK(all.from.post(std::string("\xff"), "n").admitted == 1);
    CHECK(all.from.post(std::string("7"), "n").admitted == 1);
  });
  CHECK(link.stats().sent == 1);
  CHECK(link.stats().unsent == 1);
}

TEST_CASE("messages that a handler sends on the bridge's executor continue the chain", "[B7]") {
  two_bridges all;
  const bridge_link link = all.in.outbound<int>(all.from, "more");
  subscriber last(all.here.get_executor());
  std::string first_id;
  std::string chain;
  std::string cause;
  all.to.subscribe("n", [&](int number, const context& ctx) {
    first_id = std::string(ctx.message_id());
    (void)all.from.post(number + 1, "more");
  });
  last.subscribe("more", [&](int, const context& ctx) {
    chain = std::string(ctx.correlation_id());
    cause = std::string(ctx.causation_id());
  });
  (void)all.out.inbound<int>(last, "more");
  publisher begins;
  (void)all.out.outbound<int>(begins, "n");
  all.on_executor([&] { (void)begins.post(1, "n"); });
  CHECK_FALSE(first_id.empty());
  CHECK(chain == first_id);
  CHECK(cause == first_id);
  CHECK(link.stats().sent == 1);
}

TEST_CASE("a link that is cancelled sends nothing more", "[B1]") {
  two_bridges all;
  bridge_link link = all.out.outbound<int>(all.from, "n");
  all.on_executor([&] {
    (void)all.from.post(1, "n");
    link.cancel();
    (void)all.from.post(2, "n");
  });
  CHECK(all.got == std::vector{1});
  CHECK(link.stats().sent == 1);
  CHECK(all.from.unrouted() == 1);
}

}  // namespace outbound_test
