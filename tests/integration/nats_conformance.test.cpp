#include <msgbus/nats/options.hpp>

#include <msgbus/testing/conformance.hpp>

#include "support/catch.hpp"
#include "support/cuttable.hpp"
#include "support/nats.hpp"

#include <map>

namespace nats_conformance_test {

using namespace msgbus_test;
using msgbus::testing::conformance_case;
using msgbus::testing::conformance_result;
using msgbus::testing::transport_environment;

namespace {

/// Every connection has its own route to the server.
class nats_environment final : public transport_environment {
 public:
  nats_environment(const nats_server& server, std::string prefix, asio::any_io_executor executor)
      : transport_environment(std::move(prefix)), server_(server), executor_(std::move(executor)) {}

  [[nodiscard]] msgbus::transport::features supports() const noexcept override {
    // The limit for a slow sink is larger than the number of messages in the cases.
    return {.durable = true, .persistent = true, .holds_back = true, .away = true};
  }
  [[nodiscard]] asio::awaitable<transport_ptr> connect() override {
    auto way = std::make_unique<cuttable>(server_.port());
    msgbus::nats::options options;
    options.url = way->url();
    options.reconnect_wait = 20ms;
    options.reconnect_buffer = 20'000;
    transport_ptr made = co_await msgbus::nats::open(executor_, options);
    ways_[made.get()] = std::move(way);
    co_return made;
  }
  [[nodiscard]] bool can_cut() const noexcept override { return true; }
  [[nodiscard]] asio::awaitable<void> cut(msgbus::transport::transport& which) override {
    ways_.at(&which)->cut();
    co_return;
  }
  [[nodiscard]] asio::awaitable<void> restore(msgbus::transport::transport& which) override {
    ways_.at(&which)->restore(2);
    co_return;
  }
  [[nodiscard]] duration patience() const noexcept override { return 1s; }
  [[nodiscard]] std::size_t too_many_to_keep() const noexcept override { return 21; }

 private:
  const nats_server& server_;
  const asio::any_io_executor executor_;
  std::map<const msgbus::transport::transport*, std::unique_ptr<cuttable>> ways_;
};

}  // namespace

TEST_CASE("NATS passes every case of the conformance suite") {
  const nats_server server;
  int number = 0;
  for (const conformance_case& each : msgbus::testing::transport_conformance()) {
    loop here;
    nats_environment in(server, "case" + std::to_string(++number), here.executor());
    INFO(each.name);
    const conformance_result got = here.run(msgbus::testing::run_conformance(each, in));
    INFO(got.why);
    CHECK(got.status == conformance_result::verdict::passed);
  }
}

}  // namespace nats_conformance_test
