// N2: a command to another connection, and its answer. One at a time, each trip is timed by itself:
// most of it is the waking of four threads. With 64 under way nobody waits for a thread.

#include "over_nats.hpp"
#include "workloads.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstring>

namespace bench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_created, id, amount)

namespace {

constexpr unsigned in_flight = 64;

using clock = std::chrono::steady_clock;

void record(histogram& into, clock::time_point since) noexcept {
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - since);
  into.add(static_cast<std::uint64_t>(took.count()));
}

void check_answer(std::uint64_t answer, std::uint64_t asked) {
  if (answer == asked) return;
  std::fprintf(stderr, "\nthe answer to another question came back\n");
  std::_Exit(1);
}

// --- nats.c --------------------------------------------------------------------------------------

std::uint64_t number_in(natsMsg* message) {
  std::uint64_t number = UINT64_MAX;
  if (natsMsg_GetDataLength(message) >= static_cast<int>(sizeof number)) {
    std::memcpy(&number, natsMsg_GetData(message), sizeof number);
  }
  return number;
}

message_ptr message_of(const char* to, const char* reply_to, const void* data, int size) {
  natsMsg* made = nullptr;
  check(natsMsg_Create(&made, to, reply_to, static_cast<const char*>(data), size),
        "making a message");
  return message_ptr(made);
}

void set(const message_ptr& in, std::string_view name, const std::string& value) {
  check(natsMsgHeader_Set(in.get(), name.data(), value.c_str()), "a header");
}

std::string get(natsMsg* from, std::string_view name) {
  const char* value = nullptr;
  check(natsMsgHeader_Get(from, name.data(), &value), "a header");
  return value;
}

/// Answers an order with its number. Both are sent as they are in memory, with the headers that
/// msgbus has or with none.
struct plain_service {
  explicit plain_service(bool headers) : with_headers(headers) {}

  const bool with_headers;
  arrivals count;
  const std::string subject = new_name("n2");
  plain_ids ids_here, ids_there;
  plain_connection there{true};
  subscription_ptr subscribed = there.subscribe(subject, &plain_service::answer, this);

  static void answer(natsConnection* over, natsSubscription*, natsMsg* message, void* closure) {
    using namespace msgbus;
    const message_ptr owned(message);
    auto* const self = static_cast<plain_service*>(closure);
    const std::uint64_t number = number_in(message);
    self->count.handled();
    const char* const to = natsMsg_GetReply(message);
    if (!self->with_headers) {
      check(natsConnection_Publish(over, to, &number, sizeof number), "answering");
      return;
    }
    const message_ptr made = message_of(to, nullptr, &number, sizeof number);
    const std::string cause = get(message, header::message_id);
    set(made, header::message_id, self->ids_there.next());
    set(made, header::content_type, get(message, header::content_type));
    set(made, header::correlation_id, cause);
    set(made, header::causation_id, cause);
    check(natsConnection_PublishMsg(over, made.get()), "answering");
  }

  [[nodiscard]] message_ptr question(const order_created& order, const char* reply_to) {
    message_ptr made = message_of(subject.c_str(), reply_to, &order, sizeof order);
    set(made, msgbus::header::message_id, ids_here.next());
    set(made, msgbus::header::content_type, "application/json");
    return made;
  }
  void look_at(natsMsg* answer) const {
    if (with_headers) (void)get(answer, msgbus::header::content_type);
  }
};

contender plainly_one_by_one(const std::string& name, bool with_headers) {
  struct state : plain_service {
    using plain_service::plain_service;
    plain_connection here{true};

    std::uint64_t ask(const order_created& order) {
      constexpr std::int64_t milliseconds = 10'000;
      natsMsg* answer = nullptr;
      if (with_headers) {
        const message_ptr made = question(order, nullptr);
        check(natsConnection_RequestMsg(&answer, here.get(), made.get(), milliseconds), "asking");
      } else {
        check(natsConnection_Request(&answer, here.get(), subject.c_str(), &order, sizeof order,
                                     milliseconds),
              "asking");
      }
      const message_ptr owned(answer);
      look_at(answer);
      return number_in(answer);
    }
  };
  auto make = [with_headers] {
    auto made = std::make_shared<state>(with_headers);
    auto each = std::make_shared<histogram>();
    subject plain;
    plain.each = each;
    plain.handled = [made] { return made->count.count(); };
    plain.send = [made, each](std::uint64_t messages) {
      made->count.expect(messages);
      for (std::uint64_t i = 0; i < messages; ++i) {
        const auto start = clock::now();
        const std::uint64_t answer = made->ask(order_created{i, 9.99});
        record(*each, start);
        check_answer(answer, i);
      }
      made->count.wait();
    };
    return plain;
  };
  return {name, role::baseline, make};
}

/// With an inbox of its own, since `natsConnection_Request` takes a thread for each request.
/// Whoever takes an answer asks the next question.
contender plainly_together(const std::string& name, bool with_headers) {
  struct state : plain_service {
    using plain_service::plain_service;
    plain_connection here{true};
    arrivals answers;
    std::atomic<std::uint64_t> asked{0};
    std::uint64_t to_ask = 0;
    const std::string inbox = new_name("n2_inbox");
    subscription_ptr answered = here.subscribe(inbox, &state::take, this);

    void ask_next() {
      const std::uint64_t number = asked++;
      if (number >= to_ask) return;
      const order_created order{number, 9.99};
      if (with_headers) {
        const message_ptr made = question(order, inbox.c_str());
        check(natsConnection_PublishMsg(here.get(), made.get()), "asking");
      } else {
        check(natsConnection_PublishRequest(here.get(), subject.c_str(), inbox.c_str(), &order,
                                            sizeof order),
              "asking");
      }
    }
    static void take(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
      const message_ptr owned(message);
      auto* const self = static_cast<state*>(closure);
      self->look_at(message);
      self->ask_next();
      self->answers.handled();
    }
  };
  auto make = [with_headers] {
    auto made = std::make_shared<state>(with_headers);
    subject plain;
    plain.handled = [made] { return made->answers.count(); };
    plain.send = [made](std::uint64_t messages) {
      made->count.expect(messages);
      made->answers.expect(messages);
      made->asked = 0;
      made->to_ask = messages;
      for (unsigned i = 0; i < in_flight; ++i) made->ask_next();
      made->answers.wait();
    };
    return plain;
  };
  return {name, role::baseline, make};
}

// --- msgbus --------------------------------------------------------------------------------------

/// A service on another thread, and who calls it on this one.
struct served {
  arrivals count;
  const std::string prefix = new_name("n2");
  asio::io_context here{1};
  roaming_context there;
  msgbus::async::service orders{there.executor()};
  msgbus::bridge in = connected(there.executor());
  msgbus::bridge out = connected(here.get_executor());
  msgbus::remote_service remote{out, prefix};

  served() {
    auto confirm = orders.handler("confirm", [this](const order_created& order) {
      count.handled();
      return order.id;
    });
    in.serve(prefix, confirm);
    flush(in);
  }

  asio::awaitable<void> one_by_one(histogram& each, std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      const order_created order{i, 9.99};
      const auto start = clock::now();
      auto asking = remote.execute<std::uint64_t>("confirm", order);
      const std::uint64_t answer = co_await std::move(asking);
      record(each, start);
      check_answer(answer, i);
    }
  }

  /// One of several that share the messages.
  asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages) {
    while (next < messages) {
      const order_created order{next++, 9.99};
      auto asking = remote.execute<std::uint64_t>("confirm", order);
      const std::uint64_t answer = co_await std::move(asking);
      check_answer(answer, order.id);
    }
  }
  void together(std::uint64_t messages) {
    std::uint64_t next = 0;
    here.restart();
    for (unsigned i = 0; i < in_flight; ++i) {
      asio::co_spawn(here, some_of(next, messages), must_succeed);
    }
    here.run();
  }
};

contender executing_one_by_one(const std::string& name, const std::string& baseline) {
  auto make = [] {
    auto made = std::make_shared<served>();
    auto each = std::make_shared<histogram>();
    subject over;
    over.each = each;
    over.handled = [made] { return made->count.count(); };
    over.send = [made, each](std::uint64_t messages) {
      made->count.expect(messages);
      run_here(made->here, made->one_by_one(*each, messages));
      made->count.wait();
    };
    return over;
  };
  return {name, role::project, make, 1, baseline};
}

contender executing_together(const std::string& name, const std::string& baseline) {
  auto make = [] {
    auto made = std::make_shared<served>();
    subject over;
    over.handled = [made] { return made->count.count(); };
    over.send = [made](std::uint64_t messages) {
      made->count.expect(messages);
      made->together(messages);
      made->count.wait();
    };
    return over;
  };
  return {name, role::project, make, 1, baseline};
}

}  // namespace

workload n2_remote_execute() {
  using enum target::kind;
  const std::string bare = "natsConnection_Request";
  const std::string same = "natsConnection_RequestMsg, with the headers of msgbus";
  const std::string project = "msgbus remote_service.execute";
  workload w{"N2", "Remote execute, one at a time", {}, {}, "round trip"};
  w.sample_ms = 50;
  w.contenders = {plainly_one_by_one(bare, false), plainly_one_by_one(same, true),
                  executing_one_by_one(project, same)};
  w.targets = {
      {at_least_times_faster, project, 0.9, same},
      {at_least_times_faster, project, 0.85, bare},
  };
  return w;
}

workload n2_in_flight() {
  using enum target::kind;
  const std::string bare = "nats.c, an inbox of its own, 64 in flight";
  const std::string same = "the same, with the headers of msgbus";
  const std::string project = "msgbus remote_service.execute, 64 in flight";
  workload w{"N2_64", "Remote execute, 64 in flight", {}, {}, "round trip"};
  w.sample_ms = 50;
  w.contenders = {plainly_together(bare, false), plainly_together(same, true),
                  executing_together(project, same)};
  w.targets = {
      {at_least_times_faster, project, 0.85, same},
      {at_least_times_faster, project, 0.7, bare},
  };
  return w;
}

}  // namespace bench
