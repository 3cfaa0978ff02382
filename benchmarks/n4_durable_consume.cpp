// N4: messages that are in a stream before the clock starts are handled and acknowledged. After
// each sample the server must say that nothing is left.

#include "over_nats.hpp"
#include "workloads.hpp"

#include <algorithm>
#include <thread>

namespace bench {

namespace {

constexpr const char* durable = "billing";

// --- nats.c --------------------------------------------------------------------------------------

/// One thread fetches, handles and acknowledges.
contender plainly(std::string name, int at_once) {
  struct state {
    plain_stream stream{"n4"};
    plain_connection to;
    jetstream_ptr jetstream = to.jetstream();
    subscription_ptr subscribed;
    std::uint64_t handled = 0;

    state() {
      jsSubOptions how;
      check(jsSubOptions_Init(&how), "options");
      how.Stream = stream.name().c_str();
      how.Config.AckPolicy = js_AckExplicit;
      how.Config.MaxAckPending = -1;  // as msgbus has it: what is asked for is the limit
      natsSubscription* made = nullptr;
      check(js_PullSubscribe(&made, jetstream.get(), stream.subject().c_str(), durable, nullptr,
                             &how, nullptr),
            "subscribing");
      subscribed.reset(made);
    }
    void handle(std::uint64_t messages, int most) {
      for (std::uint64_t left = messages; left > 0;) {
        natsMsgList some{};
        const int wanted = static_cast<int>(std::min<std::uint64_t>(left, std::uint64_t(most)));
        check(natsSubscription_Fetch(&some, subscribed.get(), wanted, 10'000, nullptr), "fetching");
        for (int i = 0; i < some.Count; ++i) {
          (void)opaque(natsMsg_GetData(some.Msgs[i]));
          ++handled;
          check(natsMsg_Ack(some.Msgs[i], nullptr), "acknowledging");
        }
        left -= static_cast<std::uint64_t>(some.Count);
        natsMsgList_Destroy(&some);
      }
    }
  };
  auto make = [at_once] {
    auto made = std::make_shared<state>();
    subject plain;
    plain.handled = [made] { return made->handled; };
    plain.stock = [made](std::uint64_t messages) { made->stream.stock(messages); };
    plain.send = [made, at_once](std::uint64_t messages) { made->handle(messages, at_once); };
    plain.after = [made] { made->stream.wait_until_settled(durable); };
    return plain;
  };
  return {std::move(name), role::baseline, make};
}

// --- msgbus --------------------------------------------------------------------------------------

/// A link for each sample, since one that is there would take messages before the clock starts: the
/// time includes asking the server once whether the durable consumer is there.
contender linked(std::string name) {
  struct state {
    arrivals count;
    plain_stream stream{"n4"};
    roaming_context there;
    asio::io_context here{1};
    msgbus::async::subscriber to{there.executor()};
    msgbus::bridge in = connected(there.executor());
    msgbus::bridge_link link;

    state() {
      to.subscribe(stream.subject(), [this](const blob& message) {
        (void)opaque(&message);
        count.handled();
      });
      begin();
      end();
    }
    asio::awaitable<void> join() {
      msgbus::durable_options how;
      how.stream = stream.name();
      how.durable = durable;
      auto joining = in.durable<blob>(to, stream.subject(), how);
      link = co_await std::move(joining);
    }
    void begin() { run_here(here, join()); }
    void handle(std::uint64_t messages) {
      count.expect(messages);
      begin();
      count.wait();
      while (link.stats().acks < messages) std::this_thread::yield();
    }
    void end() {
      link.cancel();
      flush(in);
      stream.wait_until_settled(durable);
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject over;
    over.handled = [made] { return made->count.count(); };
    over.stock = [made](std::uint64_t messages) { made->stream.stock(messages); };
    over.send = [made](std::uint64_t messages) { made->handle(messages); };
    over.after = [made] { made->end(); };
    return over;
  };
  return {std::move(name), role::project, make};
}

}  // namespace

workload n4_durable_consume() {
  using enum target::kind;
  const std::string baseline = "natsSubscription_Fetch(512), natsMsg_Ack";
  const std::string project = "msgbus durable link, handler and ack";
  workload w{"N4", "Durable consume", {}, {}};
  w.sample_ms = 50;
  w.contenders = {plainly(baseline, 512), linked(project)};
  w.targets = {{at_least_times_faster, project, 0.85, baseline}};
  return w;
}

}  // namespace bench
