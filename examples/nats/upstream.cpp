#include "upstream.hpp"

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/remote_service.hpp>

#include <asio/strand.hpp>

#include <atomic>
#include <utility>

#include "json.hpp"
#include "process.hpp"
#include "remote_operations.hpp"
#include "wire.hpp"

namespace exchange {

using namespace std::chrono_literals;

struct upstream::parts {
  parts(msgbus::bridge connected, const asio::any_io_executor& executor,
        std::chrono::milliseconds patience)
      : nats(std::move(connected)),
        commands(executor),
        queries(executor),
        control(nats, wire::control, {.timeout = 500ms}),
        arrivals(asio::make_strand(executor), {.capacity = 4096}),
        board(asio::make_strand(executor), {.capacity = 4096}),
        billing(asio::make_strand(executor)),
        all(executor) {
    all.add("front", commands);
    all.add("front queries", queries);
    all.add("arrivals", arrivals);
    all.add("board", board);
    add_remote_operations(commands, queries, nats, patience);

    to_board.bind(board);
    arrivals.subscribe(wire::all_notices, &parts::pass_on, *this);
    notices = nats.inbound<notice>(arrivals, wire::all_notices);

    billing.handler(&parts::on_billed, *this);
    nats.inbound<order_billed>(billing);
  }

  // Clients know the topics without what they have in front of them on the way.
  asio::awaitable<msgbus::receipt> pass_on(const notice& arrived, const msgbus::context& about) {
    return to_board.send(arrived, std::string(about.topic().substr(wire::notices.size())));
  }

  void on_billed(const order_billed&) { billed.fetch_add(1); }

  msgbus::bridge nats;
  msgbus::async::service commands;
  msgbus::async::service queries;
  msgbus::remote_service control;
  msgbus::async::subscriber arrivals;
  msgbus::async::subscriber board;
  msgbus::async::consumer billing;
  msgbus::async::publisher to_board;
  msgbus::bridge_link notices;
  msgbus::async::host
      all;  // for names and figures; what comes over NATS ends in an order of its own
  std::atomic<std::uint64_t> billed{0};
};

upstream::upstream(asio::io_context& io, const std::string& url,
                   std::chrono::milliseconds patience) {
  auto connecting = wire::connect(io.get_executor(), url, "front");
  parts_ = std::make_unique<parts>(run_until_done(io, std::move(connecting)), io.get_executor(),
                                   patience);
  run_until_done(io, parts_->nats.flush());
}

upstream::~upstream() = default;

msgbus::async::service& upstream::commands() noexcept { return parts_->commands; }
msgbus::async::service& upstream::queries() noexcept { return parts_->queries; }
msgbus::async::subscriber& upstream::board() noexcept { return parts_->board; }

std::function<asio::awaitable<json>()> upstream::state(
    std::function<std::uint64_t()> connections) const {
  return [this, connections = std::move(connections)] { return ask_state(connections()); };
}

// What moves is looked for where it comes from first.
asio::awaitable<json> upstream::ask_state(std::uint64_t connections) const {
  orders_state there;
  bool is_there = true;
  try {
    auto asking = parts_->control.execute<orders_state>("state");
    there = co_await std::move(asking);
  } catch (const msgbus::error&) {
    is_there = false;
  }
  json result;
  if (is_there) {
    for (const auto& [name, each] : there.components) result["components"][name] = each;
    // The component that makes them has handled as many events as there are notices.
    const std::uint64_t made = there.components.at("notifications").at("handled");
    const arrivals here = arrived();
    const std::uint64_t taken = here.received + here.dropped;
    result["components"]["on the way"]["open"] = made > taken ? made - taken : 0;
    result["note"] = std::to_string(there.orders_stored) + " orders stored, " +
                     std::to_string(parts_->billed.load()) + " billed";
  } else {
    result["note"] = "the process of the orders does not answer";
  }
  for (const component_stats& each : stats()) {
    result["components"][each.name] = figures_of(each);
  }
  result["connections"] = connections;
  result["memory_kib"] = memory_in_use();
  co_return result;
}

asio::awaitable<std::vector<drained>> upstream::drain(
    std::chrono::steady_clock::time_point deadline) {
  const auto left = [deadline] { return deadline - std::chrono::steady_clock::now(); };
  std::vector<drained> reports(5);
  reports[0].name = "commands";
  reports[0].report = co_await parts_->commands.drain(left());
  reports[1].name = "queries";
  reports[1].report = co_await parts_->queries.drain(left());
  reports[2].name = "nats";
  reports[2].report = co_await parts_->nats.drain(left());
  reports[3].name = "arrivals";
  reports[3].report = co_await parts_->arrivals.drain(left());
  reports[4].name = "board";
  reports[4].report = co_await parts_->board.drain(left());
  co_return reports;
}

std::vector<component_stats> upstream::stats() const { return parts_->all.stats(); }

upstream::arrivals upstream::arrived() const {
  const msgbus::link_counters all = parts_->notices.stats();
  return {.received = all.received, .dropped = all.dropped};
}

}  // namespace exchange
