// N5: events of ten members, as JSON over NATS: what a program pays that sends no bytes of its own
// but structs, as the guide declares them.

#include "over_nats.hpp"
#include "workloads.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace bench {

/// As JSON it has some 250 bytes.
struct order_shipped {
  std::uint64_t id = 0;
  std::string customer;
  std::string street;
  std::string city;
  std::int32_t parcels = 0;
  double weight = 0;
  double price = 0;
  bool express = false;
  std::vector<std::int32_t> articles;
  std::string note;

  order_shipped() = default;
  explicit order_shipped(std::uint64_t number)
      : id(number),
        customer("Alice Liddell"),
        street("Christ Church 12, side door"),
        city("Oxford"),
        parcels(2),
        weight(3.25),
        price(129.9),
        express(true),
        articles{1017, 2034, 99, 7},
        note("to be delivered before noon; ring twice") {}
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_shipped, id, customer, street, city, parcels, weight,
                                   price, express, articles, note)

namespace {

constexpr const char* json_type = "application/json";

// --- nats.c and nlohmann-json --------------------------------------------------------------------

/// The headers are those of msgbus, and the subscriber looks at them.
contender by_hand(std::string name) {
  struct state {
    arrivals count;
    const std::string subject = new_name("n5");
    plain_ids ids;
    plain_connection from, to;
    subscription_ptr subscribed = to.subscribe(subject, &state::take, this);

    void send(const order_shipped& event) {
      const std::string id = ids.next();
      const std::string text = nlohmann::json(event).dump();
      const message_ptr made =
          with_headers(subject, text, id, msgbus::name_of<order_shipped>.data(), json_type);
      check(natsConnection_PublishMsg(from.get(), made.get()), "publishing");
    }
    static void take(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
      const message_ptr owned(message);
      look_at_headers(message);
      const char* const text = natsMsg_GetData(message);
      const auto event =
          nlohmann::json::parse(text, text + natsMsg_GetDataLength(message)).get<order_shipped>();
      (void)opaque(&event);
      static_cast<state*>(closure)->count.handled();
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject plain;
    plain.handled = [made] { return made->count.count(); };
    plain.send = [made](std::uint64_t messages) {
      made->count.expect(messages);
      for (std::uint64_t i = 0; i < messages; ++i) made->send(order_shipped(i));
      made->count.wait();
    };
    return plain;
  };
  return {std::move(name), role::baseline, make};
}

// --- msgbus --------------------------------------------------------------------------------------

/// Events, by their type.
struct by_type {
  using source = msgbus::async::producer;
  using target = msgbus::async::consumer;

  template <class Handler>
  void join(msgbus::bridge& out, source& from, msgbus::bridge& in, target& to, Handler handler) {
    to.handler(std::move(handler));
    msgbus::inbound_options taking;
    taking.prefix = name;
    in.inbound<order_shipped>(to, taking);
    msgbus::outbound_options sending;
    sending.prefix = name;
    out.outbound<order_shipped>(from, sending);
  }
  auto send(source& from, order_shipped&& event) const { return from.send(std::move(event)); }

  const std::string name = new_name("n5");
};

/// The same messages, to a topic.
struct by_topic {
  using source = msgbus::async::publisher;
  using target = msgbus::async::subscriber;

  template <class Handler>
  void join(msgbus::bridge& out, source& from, msgbus::bridge& in, target& to, Handler handler) {
    to.subscribe(name, std::move(handler));
    in.inbound<order_shipped>(to, name);
    out.outbound<order_shipped>(from, name);
  }
  auto send(source& from, order_shipped&& message) const {
    return from.send(std::move(message), name);
  }

  const std::string name = new_name("n5");
};

/// The side that sends is on this thread, the one that receives on another one.
template <class Way>
contender bridged(std::string name) {
  struct state {
    arrivals count;
    Way way;
    asio::io_context here{1};
    roaming_context there;
    typename Way::source from;
    typename Way::target to{there.executor()};
    msgbus::bridge out = connected(here.get_executor());
    msgbus::bridge in = connected(there.executor());

    state() {
      way.join(out, from, in, to, [this](const order_shipped& event) {
        (void)opaque(&event);
        count.handled();
      });
      flush(in);
    }
    asio::awaitable<void> send_all(std::uint64_t messages) {
      for (std::uint64_t i = 0; i < messages; ++i) {
        order_shipped event(i);
        auto sending = way.send(from, std::move(event));
        (void)co_await std::move(sending);
      }
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject over;
    over.handled = [made] { return made->count.count(); };
    over.send = [made](std::uint64_t messages) {
      made->count.expect(messages);
      run_here(made->here, made->send_all(messages));
      made->count.wait();
    };
    return over;
  };
  return {std::move(name), role::project, make};
}

}  // namespace

workload n5_json_events() {
  using enum target::kind;
  const std::string baseline = "nats.c and nlohmann-json, with the headers of msgbus";
  const std::string events = "msgbus producer.send to a consumer";
  const std::string messages = "msgbus publisher.send to a subscriber";
  workload w{"N5", "JSON events of ten members over NATS", {}, {}};
  w.sample_ms = 50;
  w.contenders = {by_hand(baseline), bridged<by_type>(events), bridged<by_topic>(messages)};
  w.targets = {{at_least_times_faster, events, 0.9, baseline},
               {at_least_times_faster, messages, 0.9, baseline}};
  return w;
}

}  // namespace bench
