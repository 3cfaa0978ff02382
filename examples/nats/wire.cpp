#include "wire.hpp"

#include <chrono>
#include <cstdio>

namespace exchange::wire {
namespace {

const char* word_for(enum msgbus::nats::event::kind what) {
  using kind = enum msgbus::nats::event::kind;
  switch (what) {
    case kind::disconnected: return "disconnected";
    case kind::reconnected: return "connected again";
    case kind::closed: return "closed";
    case kind::slow_consumer: return "slow consumer";
    case kind::failed: break;
  }
  return "failed";
}

}  // namespace

asio::awaitable<void> ensure_streams(msgbus::bridge& nats) {
  const msgbus::nats::stream_options orders{.name = orders_stream,
                                            .topics = {"events.order_placed"}};
  const msgbus::nats::stream_options dead{.name = dead_stream, .topics = {dead_orders}};
  co_await nats.ensure_stream(orders);
  co_await nats.ensure_stream(dead);
}

asio::awaitable<msgbus::bridge> connect(asio::any_io_executor executor, std::string url,
                                        std::string name) {
  msgbus::nats::options where;
  where.url = std::move(url);
  where.name = name;
  where.on_event = [name](const msgbus::nats::event& what) {
    std::fprintf(stderr, "%s: %s: %s\n", name.c_str(), word_for(what.what), what.text.c_str());
  };
  msgbus::bridge_options how;
  how.on_failure = [name](std::string_view link, const std::exception_ptr& failure) {
    std::fprintf(stderr, "%s: %.*s: %s\n", name.c_str(), static_cast<int>(link.size()), link.data(),
                 msgbus::describe(failure).c_str());
  };
  auto connecting = msgbus::nats::connect(std::move(executor), where, std::move(how));
  msgbus::bridge made = co_await std::move(connecting);
  co_return made;
}

}  // namespace exchange::wire
