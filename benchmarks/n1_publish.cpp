// N1: a publisher, the server and a subscriber, with two connections. What a message costs that
// nobody waits for, once all of them are under way.

#include "over_nats.hpp"
#include "workloads.hpp"

#include <nlohmann/json.hpp>

namespace bench {

namespace {

// --- nats.c --------------------------------------------------------------------------------------

/// The message and nothing else.
struct bare {
  static constexpr const char* name = "nats.c";

  explicit bare(std::string to) : subject(std::move(to)) {}
  void send(const plain_connection& over, const blob& message) {
    check(natsConnection_Publish(over.get(), subject.c_str(), message.bytes.data(),
                                 static_cast<int>(message.bytes.size())),
          "publishing");
  }
  static void look_at(natsMsg* message) { (void)opaque(natsMsg_GetData(message)); }

  std::string subject;
};

/// It has an id of its own, its type and its content type, and the subscriber looks at them.
struct with_same_headers {
  static constexpr const char* name = "nats.c, with the headers of msgbus";

  explicit with_same_headers(std::string to) : subject(std::move(to)) {}
  void send(const plain_connection& over, const blob& message) {
    const std::string id = ids.next();
    const message_ptr made = with_headers(subject, message, id);
    check(natsConnection_PublishMsg(over.get(), made.get()), "publishing");
  }
  static void look_at(natsMsg* message) {
    look_at_headers(message);
    (void)opaque(natsMsg_GetData(message));
  }

  std::string subject;
  plain_ids ids;
};

template <class Way>
contender plainly() {
  struct state {
    arrivals count;
    Way way{new_name("n1")};
    plain_connection from, to;
    subscription_ptr subscribed = to.subscribe(way.subject, &state::take, this);

    static void take(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
      const message_ptr owned(message);
      Way::look_at(message);
      static_cast<state*>(closure)->count.handled();
    }
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    subject plain;
    plain.handled = [made] { return made->count.count(); };
    plain.send = [made](std::uint64_t messages) {
      made->count.expect(messages);
      for (std::uint64_t i = 0; i < messages; ++i) made->way.send(made->from, blob(i));
      made->count.wait();
    };
    return plain;
  };
  return {Way::name, role::baseline, make};
}

// --- msgbus --------------------------------------------------------------------------------------

/// As JSON it has 128 bytes.
struct note {
  std::uint64_t id;
  double amount;
  std::string text;

  explicit note(std::uint64_t number = 0)
      : id(number),
        amount(9.99),
        text(
            "to be delivered to the side door, and not before noon, "
            "please; ring twice if nobody is there") {}
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(note, id, amount, text)

/// Publisher and outbound link are on the thread that sends, subscriber and inbound link on another
/// one.
template <class M>
struct bridged {
  arrivals count;
  const std::string topic = new_name("n1");
  asio::io_context here{1};
  roaming_context there;
  msgbus::async::publisher from;
  msgbus::async::subscriber to{there.executor()};
  msgbus::bridge out = connected(here.get_executor());
  msgbus::bridge in = connected(there.executor());

  explicit bridged(msgbus::header_form form) {
    to.subscribe(topic, [this](const M& message) {
      (void)opaque(&message);
      count.handled();
    });
    in.template inbound<M>(to, topic);
    msgbus::outbound_options how;
    how.form = form;
    out.template outbound<M>(from, topic, how);
    flush(in);
  }

  asio::awaitable<void> send_all(std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      M message(i);
      auto sending = from.send(std::move(message), topic);
      (void)co_await std::move(sending);
    }
  }
  /// Where the mailbox is full, the thread first sends what is in it.
  void post_all(std::uint64_t messages) {
    const auto send_waiting = [this] {
      here.restart();
      here.poll();
    };
    for (std::uint64_t i = 0; i < messages; ++i) {
      while (from.post(M(i), topic).rejected > 0) send_waiting();
    }
    send_waiting();
  }
};

template <class M>
contender publishing(std::string name, role what, bool with_post,
                     msgbus::header_form form = msgbus::header_form::full) {
  auto make = [with_post, form] {
    auto made = std::make_shared<bridged<M>>(form);
    subject over;
    over.handled = [made] { return made->count.count(); };
    over.send = [made, with_post](std::uint64_t messages) {
      made->count.expect(messages);
      if (with_post) {
        made->post_all(messages);
      } else {
        run_here(made->here, made->send_all(messages));
      }
      made->count.wait();
    };
    return over;
  };
  return {std::move(name), what, make, 1, with_same_headers::name};
}

}  // namespace

workload n1_publish() {
  using enum target::kind;
  const std::string send = "msgbus publisher.send";
  const std::string post = "msgbus publisher.post";
  const std::string without = "msgbus publisher.send, without headers";
  workload w{"N1", "Publish over NATS, 128 bytes", {}, {}};
  w.sample_ms = 50;
  w.contenders = {
      plainly<bare>(),
      plainly<with_same_headers>(),
      publishing<blob>(send, role::project, false),
      publishing<blob>(post, role::project, true),
      publishing<blob>(without, role::project, false, msgbus::header_form::none),
      publishing<note>("msgbus publisher.send, JSON", role::reference, false),
  };
  w.targets = {
      {at_least_times_faster, send, 0.85, with_same_headers::name},
      {at_least_times_faster, post, 0.85, with_same_headers::name},
      {at_least_times_faster, without, 0.8, bare::name},
  };
  return w;
}

}  // namespace bench
