// N3: messages that are stored in a stream on disk, with 256 of them under way. Timed until the
// stream has acknowledged the last one.

#include "over_nats.hpp"
#include "workloads.hpp"

namespace bench {

namespace {

constexpr unsigned in_flight = 256;

// --- nats.c --------------------------------------------------------------------------------------

/// Acknowledgements come to a thread of nats.c's own.
contender plainly(std::string name, bool with_same_headers) {
  struct state {
    arrivals count;
    plain_stream stream{"n3"};
    plain_ids ids;
    plain_connection from;
    jetstream_ptr jetstream;

    state() {
      jsOptions how;
      check(jsOptions_Init(&how), "options");
      how.PublishAsync.MaxPending = in_flight;
      how.PublishAsync.StallWait = 10'000;
      how.PublishAsync.AckHandler = &state::stored;
      how.PublishAsync.AckHandlerClosure = this;
      jetstream = from.jetstream(&how);
    }
    static void stored(jsCtx*, natsMsg* message, jsPubAck* ack, jsPubAckErr* failure,
                       void* closure) {
      const message_ptr owned(message);
      check(ack ? NATS_OK : failure->Err, "storing");
      static_cast<state*>(closure)->count.handled();
    }
    void send(const blob& message, bool headers) {
      natsMsg* made = nullptr;
      if (headers) {
        const std::string id = ids.next();
        made = bench::with_headers(stream.subject(), message, id).release();
      } else {
        check(natsMsg_Create(&made, stream.subject().c_str(), nullptr, message.bytes.data(),
                             static_cast<int>(message.bytes.size())),
              "making a message");
      }
      check(js_PublishMsgAsync(jetstream.get(), &made, nullptr), "publishing");
    }
  };
  auto make = [with_same_headers] {
    auto made = std::make_shared<state>();
    subject plain;
    plain.handled = [made] { return made->count.count(); };
    plain.send = [made, with_same_headers](std::uint64_t messages) {
      made->count.expect(messages);
      for (std::uint64_t i = 0; i < messages; ++i) made->send(blob(i), with_same_headers);
      made->count.wait();
    };
    return plain;
  };
  return {std::move(name), role::baseline, make};
}

// --- msgbus --------------------------------------------------------------------------------------

contender storing(std::string name, std::string baseline) {
  auto make = [] { return storing_blobs("n3", in_flight); };
  return {std::move(name), role::project, make, 1, std::move(baseline)};
}

}  // namespace

workload n3_durable_publish() {
  using enum target::kind;
  const std::string bare = "js_PublishMsgAsync";
  const std::string same = "js_PublishMsgAsync, with the headers of msgbus";
  const std::string project = "msgbus bridge.store, 256 coroutines";
  workload w{"N3", "Durable publish, 256 in flight", {}, {}};
  w.sample_ms = 50;
  w.contenders = {plainly(bare, false), plainly(same, true), storing(project, same)};
  w.targets = {
      {at_least_times_faster, project, 0.9, same},
      {at_least_times_faster, project, 0.8, bare},
  };
  return w;
}

}  // namespace bench
