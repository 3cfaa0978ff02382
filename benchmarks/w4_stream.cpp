// W4: transactions whose messages go through the file to a stream of NATS.

#include "durable_shop.hpp"
#include "over_nats.hpp"
#include "workloads.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace bench {

namespace {

contender storing() {
  auto make = [] { return storing_blobs("w4", at_a_time); };
  return {"msgbus bridge.store, 256 coroutines", role::baseline, make};
}

contender through_file() {
  struct state {
    plain_stream stream{"w4"};
    shop file;
    msgbus::bridge out = connected(file.here.get_executor());

    state() { file.db->route<blob>(stream.subject(), out); }
    asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages) {
      while (next < messages) {
        auto work = [number = next++](transaction& t) -> asio::awaitable<void> {
          t.dispatch(blob(number));
          co_return;
        };
        auto running = file.db->transaction(work);
        co_await std::move(running);
        ++file.committed;
      }
    }
    [[nodiscard]] std::uint64_t delivered() const { return file.db->stats().delivered; }
    void send(std::uint64_t messages) {
      file.goal += messages;
      std::uint64_t next = 0;
      for (unsigned i = 0; i < at_a_time; ++i) {
        asio::co_spawn(file.here, some_of(next, messages), must_succeed);
      }
      while (delivered() < file.goal) file.here.run_one_for(std::chrono::milliseconds(1));
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject over;
    over.send = [made](std::uint64_t messages) { made->send(messages); };
    over.handled = [made] { return made->delivered(); };
    return over;
  };
  return {"msgbus transactions with a route to a stream, 256 at a time", role::project, make};
}

}  // namespace

workload w4_stream() {
  using enum target::kind;
  workload w{"W4", "Through the file to a NATS stream, 256 at a time", {}, {}};
  w.sample_ms = 100;
  w.contenders = {storing(), through_file()};
  w.targets = {{at_least_times_faster, w.contenders[1].name, 0.8, w.contenders[0].name}};
  return w;
}

}  // namespace bench
