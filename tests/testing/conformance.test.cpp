#include <msgbus/testing/conformance.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/spawned.hpp>
#include <msgbus/testing/stepping_executor.hpp>
#include <msgbus/transport/memory.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <memory>
#include <set>
#include <sstream>
#include <string>

namespace conformance_test {

using namespace std::chrono_literals;
using msgbus::testing::conformance_case;
using msgbus::testing::conformance_result;
using msgbus::testing::manual_clock;
using msgbus::testing::run_conformance;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus::testing::transport_conformance;
using msgbus::testing::transport_environment;
using verdict = conformance_result::verdict;

namespace {

using connection = std::shared_ptr<msgbus::transport::transport>;

class memory_environment final : public transport_environment {
 public:
  explicit memory_environment(asio::any_io_executor executor, duration patience = 200ms)
      : transport_environment("case"), executor_(std::move(executor)), patience_(patience) {
    options_.away_limit = 20;
  }

  [[nodiscard]] msgbus::transport::features supports() const noexcept override {
    return {.durable = true, .persistent = false, .holds_back = false, .away = true};
  }
  [[nodiscard]] asio::awaitable<connection> connect() override {
    connection made = broker_.connect(executor_, options_);
    co_return made;
  }
  [[nodiscard]] bool can_cut() const noexcept override { return true; }
  [[nodiscard]] asio::awaitable<void> cut(msgbus::transport::transport& which) override {
    broker_.cut(which);
    co_return;
  }
  [[nodiscard]] asio::awaitable<void> restore(msgbus::transport::transport& which) override {
    broker_.restore(which);
    co_return;
  }
  [[nodiscard]] duration patience() const noexcept override { return patience_; }
  [[nodiscard]] std::size_t too_many_to_keep() const noexcept override { return 21; }

 private:
  const msgbus::memory_broker broker_;
  msgbus::memory_options options_;
  const asio::any_io_executor executor_;
  const duration patience_;
};

// An environment without a server, for a transport with few features.
class poor_environment final : public transport_environment {
 public:
  explicit poor_environment(bool may_be_away = false)
      : transport_environment("poor"), may_be_away_(may_be_away) {}
  [[nodiscard]] msgbus::transport::features supports() const noexcept override {
    return {.durable = false, .persistent = false, .holds_back = false, .away = may_be_away_};
  }
  [[nodiscard]] asio::awaitable<connection> connect() override {
    throw std::runtime_error("there is no server");
    co_return nullptr;
  }

 private:
  const bool may_be_away_;
};

void check(const conformance_case& which, conformance_result got) {
  INFO(which.name << ": " << got.why);
  CHECK(got.status == verdict::passed);
}

}  // namespace

TEST_CASE("the memory transport conforms, on an io_context") {
  for (const conformance_case& each : transport_conformance()) {
    asio::io_context context(1);
    memory_environment in(context.get_executor());
    spawned<conformance_result> running(context.get_executor(), run_conformance(each, in));
    context.run_for(60s);
    INFO(each.name);
    REQUIRE(running.done());
    check(each, running.get());
  }
}

TEST_CASE("the memory transport conforms, on a thread pool") {
  for (const conformance_case& each : transport_conformance()) {
    asio::thread_pool pool(2);
    memory_environment in(pool.get_executor());
    spawned<conformance_result> running(pool.get_executor(), run_conformance(each, in));
    pool.join();
    INFO(each.name);
    REQUIRE(running.done());
    check(each, running.get());
  }
}

TEST_CASE("the memory transport conforms in shuffled orders, without real time") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const conformance_case& each : transport_conformance()) {
      stepping_context context(msgbus::testing::shuffled{seed});
      manual_clock clock(context);
      memory_environment in(context.get_executor(), 10ms);  // one case blocks that long
      INFO(each.name << ", seed " << seed);
      check(each, clock.run(context, run_conformance(each, in)));
    }
  }
}

TEST_CASE("a connection may have a different executor than its callers") {
  for (const conformance_case& each : transport_conformance()) {
    asio::thread_pool pool(1);
    asio::io_context context(1);
    memory_environment in(pool.get_executor());
    spawned<conformance_result> running(context.get_executor(), run_conformance(each, in));
    context.run_for(60s);
    INFO(each.name);
    REQUIRE(running.done());
    check(each, running.get());
    pool.join();
  }
}

TEST_CASE("the suite has many cases, each with its own name") {
  std::set<std::string> names;
  for (const conformance_case& each : transport_conformance()) names.insert(each.name);
  CHECK(names.size() == transport_conformance().size());
  CHECK(names.size() >= 50);
}

TEST_CASE("a case that the transport does not support is skipped, with a reason") {
  stepping_context context;
  std::size_t skipped = 0;
  for (const conformance_case& each : transport_conformance()) {
    for (const bool may_be_away : {false, true}) {
      poor_environment in(may_be_away);
      const conformance_result got = context.run(run_conformance(each, in));
      INFO(each.name << ": " << got.why);
      if (each.needs.durable || each.needs.away) {
        ++skipped;
        CHECK(got.status == verdict::skipped);
        CHECK_FALSE(got.why.empty());
      } else {
        CHECK(got.status == verdict::failed);
        CHECK(got.why == "there is no server");
      }
    }
  }
  CHECK(skipped > 40);
}

TEST_CASE("an environment that cannot cut connections throws") {
  stepping_context context;
  memory_environment other(context.get_executor());
  const connection some = context.run(other.connect());
  poor_environment in;
  CHECK_FALSE(in.can_cut());
  CHECK_THROWS_AS(context.run(in.cut(*some)), std::logic_error);
  CHECK_THROWS_AS(context.run(in.restore(*some)), std::logic_error);
  CHECK(in.topic("a.b") == "poor.a.b");
  CHECK(in.stream() == "poor_STREAM");
}

TEST_CASE("the result of a conformance case is printed with its members") {
  std::ostringstream out;
  out << msgbus::testing::conformance_result{
      .status = msgbus::testing::conformance_result::verdict::skipped, .why = "no streams"};
  CHECK(out.str() == R"(conformance_result{.status = skipped, .why = "no streams"})");
}

TEST_CASE("a conformance case is printed by its name") {
  msgbus::testing::conformance_case one{};
  one.name = "it connects";
  CHECK(Catch::Detail::stringify(one) == R"(conformance_case{.name = "it connects"})");
}

}  // namespace conformance_test
