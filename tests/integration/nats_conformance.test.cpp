// NATS is a transport as the conformance suite understands it.

#include <msgbus/testing/conformance.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"

#include <string>

using namespace msgbus_test;
using msgbus::testing::conformance_case;
using msgbus::testing::run_conformance;
using msgbus::testing::transport_conformance;
using msgbus::testing::transport_environment;
using verdict = msgbus::testing::conformance_result::verdict;

namespace {

class nats_environment final : public transport_environment {
 public:
  nats_environment(std::string prefix, const nats_server& server, loop& in)
      : transport_environment(std::move(prefix)), server_(server), loop_(in) {}

  [[nodiscard]] msgbus::transport::features supports() const noexcept override {
    return {.durable = true, .persistent = true, .holds_back = true, .away = true};
  }
  [[nodiscard]] asio::awaitable<transport_ptr> connect() override {
    msgbus::nats::options how;
    how.url = server_.url();
    return msgbus::nats::open(loop_.executor(), how);
  }
  [[nodiscard]] duration patience() const noexcept override { return 1s; }

 private:
  const nats_server& server_;
  loop& loop_;
};

}  // namespace

TEST_CASE("NATS passes every case of the conformance suite") {
  nats_server server;
  loop here;
  int number = 0;
  int skipped = 0;
  int passed = 0;
  for (const conformance_case& each : transport_conformance()) {
    INFO(each.name);
    nats_environment environment("case" + std::to_string(++number), server, here);
    const auto result = here.run(run_conformance(each, environment));
    INFO(result.why);
    CHECK(result.how != verdict::failed);
    skipped += result.how == verdict::skipped ? 1 : 0;
    passed += result.how == verdict::passed ? 1 : 0;
  }
  CHECK(passed > 40);
  WARN(passed << " cases passed; skipped, since no test cuts this connection: " << skipped);
}
