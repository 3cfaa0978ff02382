// At least once: a message that is stored is handled until its handlers have ended well. What fails
// comes again after a pause, and what always fails ends with the dead letters, with the reason.
// Here the stream is in memory; with NATS it is JetStream.

#include <msgbus/async.hpp>
#include <msgbus/bridge.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/transport/memory.hpp>

#include <asio.hpp>
#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace bus = msgbus::async;
using namespace std::chrono_literals;

struct order_placed {
  int number = 0;
  std::string customer;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_placed, number, customer)

template <>
inline constexpr std::string_view msgbus::name_of<order_placed> = "order_placed";

// Handling a message twice must have the effect of once: the message id tells.
class billing {
 public:
  void on_placed(const order_placed& event, const msgbus::context& about) {
    const std::string id(about.message_id());
    if (billed_.contains(id)) return;
    if (event.customer == "nobody") throw std::runtime_error("nobody pays");
    if (event.number == 2 && about.attempt() < 3) {
      std::cout << "order 2: the printer is out of paper (attempt " << about.attempt() << ")\n";
      throw std::runtime_error("no paper");
    }
    billed_.insert(id);
    std::cout << "order " << event.number << " billed to " << event.customer << " (attempt "
              << about.attempt() << ")\n";
  }

 private:
  std::set<std::string> billed_;
};

// Waits until the links have settled what was stored, and the dead letter.
asio::awaitable<void> until(const msgbus::bridge_link& orders, const msgbus::bridge_link& dead) {
  while (orders.stats().acks < 2 || dead.stats().acks < 1) co_await msgbus::async::sleep(5ms);
}

asio::awaitable<void> make_streams(msgbus::bridge& bridge) {
  msgbus::transport::stream_options orders;
  orders.name = "ORDERS";
  orders.topics = {"orders.>"};
  co_await bridge.ensure_stream(orders);
  msgbus::transport::stream_options dead;
  dead.name = "DEAD";
  dead.topics = {"dead.>"};
  co_await bridge.ensure_stream(dead);
}

asio::awaitable<void> store(msgbus::bridge& bridge) {
  order_placed first{1, "Alice"};
  msgbus::store_options by_id;
  by_id.message_id = "order-1";
  const auto stored = co_await bridge.store(first, "orders.placed", by_id);
  const auto again = co_await bridge.store(first, "orders.placed", by_id);
  std::cout << "stored at " << stored.sequence << (again.duplicate ? ", once" : ", twice") << '\n';
  order_placed second{2, "Bob"};
  co_await bridge.store(second, "orders.placed");
  order_placed third{3, "nobody"};
  co_await bridge.store(third, "orders.placed");
}

asio::awaitable<msgbus::bridge_link> take_orders(msgbus::bridge& bridge, bus::subscriber& to) {
  msgbus::durable_options how;
  how.stream = "ORDERS";
  how.durable = "billing";
  how.max_deliver = 4;
  how.backoff = 10ms;
  how.dead_letter = "dead.orders";
  return bridge.durable<order_placed>(to, "orders.>", how);
}

asio::awaitable<msgbus::bridge_link> take_dead(msgbus::bridge& bridge, bus::subscriber& to) {
  msgbus::durable_options how;
  how.stream = "DEAD";
  how.durable = "people";
  return bridge.durable<order_placed>(to, "dead.>", how);
}

void mourn(const order_placed& event, const msgbus::context& about) {
  const auto said = [&](std::string_view name) { return about.headers().find(name)->second; };
  std::cout << "order " << event.number << " was given up after " << said(msgbus::header::attempt)
            << " attempts: " << said(msgbus::header::dead_reason) << '\n';
}

asio::awaitable<void> day(msgbus::bridge& bridge) {
  co_await make_streams(bridge);
  co_await store(bridge);  // before anybody is there who takes it

  billing bills;
  bus::subscriber orders(bridge.get_executor());
  orders.subscribe("orders.placed", &billing::on_placed, bills);
  bus::subscriber dead(bridge.get_executor());
  dead.subscribe("dead.orders", mourn);
  const msgbus::bridge_link taken = co_await take_orders(bridge, orders);
  const msgbus::bridge_link dead_lettered = co_await take_dead(bridge, dead);
  co_await until(taken, dead_lettered);

  const msgbus::link_counters all = taken.stats();
  std::cout << all.received << " deliveries: " << all.acks << " acknowledged, " << all.naks
            << " given back, " << all.dead_lettered << " given up\n";
  const msgbus::drain_report report = co_await bridge.drain(2s);
  std::cout << "abandoned: " << report.abandoned << '\n';
}

int main() {
  asio::io_context io;
  msgbus::memory_broker broker;
  msgbus::bridge bridge(broker.connect(io));
  asio::co_spawn(io, day(bridge), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
}
