#include "monitor/executor_probe.hpp"

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <memory>

namespace executor_probe_test {

using namespace msgbus::monitoring;
using namespace std::chrono_literals;

TEST_CASE("an executor is silent from the post to its run, and posted to once meanwhile") {
  asio::io_context io;
  executor_probes all;
  const auto ask = [&](duration at, duration at_least = 1s) {
    all.see(io.get_executor(), "io");
    return all.ask(time_point(at), at_least);
  };
  CHECK(ask(10s).empty());
  CHECK(ask(10500ms).empty());
  const auto silent = ask(12s);
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].executor == "io");
  CHECK(silent[0].silent == 2s);
  CHECK(io.poll() == 1);
  CHECK(ask(13s).empty());
  CHECK(ask(13500ms, 600ms).empty());
  CHECK(io.poll() == 0);  // as the context has stopped
  io.restart();
  CHECK(io.poll() == 1);
}

TEST_CASE("a probe keeps no context running") {
  asio::io_context io;
  executor_probes all;
  all.see(asio::require(io.get_executor(), asio::execution::outstanding_work.tracked), "io");
  (void)all.ask(time_point(1s), 1s);
  io.restart();          // the end of the tracked work has stopped it
  CHECK(io.run() == 1);  // and it returns
}

TEST_CASE("an executor that is not seen any more is not asked, and not silent") {
  asio::io_context io;
  executor_probes all;
  all.see(io.get_executor(), "io");
  (void)all.ask(time_point(1s), 1s);
  CHECK(all.ask(time_point(9s), 1s).empty());
  CHECK(io.poll() == 1);
}

TEST_CASE("strands of one context are one silent executor, the longest silence counts") {
  asio::io_context io;
  const auto first = asio::make_strand(io);
  const auto second = asio::make_strand(io);
  executor_probes all;
  all.see(first, "strand of io");
  (void)all.ask(time_point(1s), 1s);
  const auto see_both = [&] {
    all.see(first, "strand of io");
    all.see(second, "strand of io");
  };
  see_both();
  (void)all.ask(time_point(2s), 1s);
  see_both();
  const auto silent = all.ask(time_point(5s), 1s);
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].silent == 4s);
}

TEST_CASE("a context may be destroyed before a probe, and before its function has run", "[A12]") {
  auto io = std::make_unique<asio::io_context>();
  executor_probe probe(io->get_executor());
  probe.ask(time_point(1s));
  io.reset();
  CHECK(probe.silent(time_point(9s)) == 0s);
  probe.ask(time_point(10s));
  CHECK(probe.silent(time_point(19s)) == 0s);
}

TEST_CASE("a probe may be destroyed before its function has run", "[A12]") {
  asio::io_context io;
  {
    executor_probe probe(io.get_executor());
    probe.ask(time_point(1s));
  }
  CHECK(io.poll() == 1);
}

}  // namespace executor_probe_test
