// A shop and a warehouse that could be two processes: each has its own components and its own
// bridge, and knows nothing of the other but names and messages. Here both are in one program, and
// the bridges meet at a broker in memory; over NATS not a line of `shop` and `warehouse` would
// change.

#include <msgbus/async.hpp>
#include <msgbus/bridge.hpp>
#include <msgbus/transport/memory.hpp>

#include <asio.hpp>
#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace bus = msgbus::async;
using namespace std::chrono_literals;

// --- What both know: messages, which become JSON on their way, and their names.
// -------------------

struct order_placed {
  int number = 0;
  std::string item;
};
struct stock {
  std::string item;
  int left = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_placed, number, item)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(stock, item, left)

template <>
inline constexpr std::string_view msgbus::name_of<order_placed> = "shop.order_placed";
template <>
inline constexpr std::string_view msgbus::name_of<stock> = "warehouse.stock";

// --- One process. --------------------------------------------------------------------------------

struct warehouse {
  explicit warehouse(std::shared_ptr<msgbus::transport::transport> network)
      : bridge(std::move(network)), orders(bridge.get_executor()), prices(bridge.get_executor()) {
    orders.handler([this](const order_placed& event) { return pack(event); });
    const auto price = prices.handler("price", [this](std::string item) {
      const auto found = in_cents.find(item);
      if (found == in_cents.end()) throw std::out_of_range("we have no " + item);
      return found->second;
    });

    bridge.serve("warehouse", price);
    bridge.inbound<order_placed>(orders);
    bridge.outbound<stock>(shelves, "stock.>");
  }

  asio::awaitable<void> pack(const order_placed& event) {
    std::cout << "warehouse: packing order " << event.number << ", a " << event.item << '\n';
    stock now{event.item, --lamps};
    co_await shelves.publish(std::move(now), "stock." + event.item);
  }

  int lamps = 42;
  std::map<std::string, int> in_cents{{"lamp", 4200}, {"table", 19900}};
  msgbus::bridge bridge;
  bus::consumer orders;
  bus::service prices;
  bus::publisher shelves;
};

// --- The other. ----------------------------------------------------------------------------------

struct shop {
  explicit shop(std::shared_ptr<msgbus::transport::transport> network)
      : bridge(std::move(network)), display(bridge.get_executor()), prices(bridge, "warehouse") {
    bridge.outbound<order_placed>(events);
    bridge.inbound<stock>(display, "stock.>");
  }

  asio::awaitable<void> sell(std::string item) {
    try {
      const int price = co_await prices.execute<int>("price", item);
      std::cout << "shop: a " << item << " costs " << price << '\n';
    } catch (const msgbus::remote_error& error) {
      std::cout << "shop: no sale: " << error.kind() << ": " << error.text() << '\n';
      co_return;
    }
    auto shelf = display.stream_of<stock>("stock." + item);
    order_placed event{++last, item};
    co_await events.dispatch(std::move(event));
    const std::optional<stock> now = co_await shelf.next();
    std::cout << "shop: " << now->left << " of " << now->item << " left\n";
  }

  int last = 0;
  msgbus::bridge bridge;
  bus::subscriber display;
  bus::producer events;
  msgbus::remote_service prices;
};

asio::awaitable<void> day(shop& front, warehouse& back) {
  co_await front.bridge.flush();  // now each knows what the other wants to hear
  co_await back.bridge.flush();
  co_await front.sell("lamp");
  co_await front.sell("unicorn");

  const msgbus::drain_report sold = co_await front.bridge.drain(2s);
  const msgbus::drain_report packed = co_await back.bridge.drain(2s);
  std::cout << "abandoned: " << sold.abandoned + packed.abandoned << '\n';
}

int main() {
  asio::io_context io;
  msgbus::memory_broker broker;
  warehouse back(broker.connect(io));
  shop front(broker.connect(io));
  asio::co_spawn(io, day(front, back), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
}
