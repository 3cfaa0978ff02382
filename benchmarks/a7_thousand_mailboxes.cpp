// A7: one message to a thousand mailboxes on another thread, and how that grows with their number.
// The thread that sends is never more than a few publishes ahead, so that no mailbox is ever full:
// who has sent to some mailboxes but not to others cannot try again.

#include "async_buses.hpp"
#include "peer_asio.hpp"
#include "peer_caf.hpp"
#include "workloads.hpp"

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bench {

namespace {

constexpr std::uint64_t ahead = 16;
constexpr unsigned other_core = 1;

/// A `Fan` is made with a tally and a number of mailboxes, and has `send(event)`.
template <class Fan, class... Given>
contender fanning_out(std::string name, role what, std::uint64_t mailboxes, Given... given) {
  struct state {
    state(std::uint64_t size, const Given&... more) : fan(count, size, more...) {}
    tally count;
    Fan fan;
  };
  auto make = [mailboxes, given...] {
    auto made = std::make_shared<state>(mailboxes, given...);
    subject publishes;
    publishes.handled = [made] { return made->count.count(); };
    publishes.before = [made] {
      if constexpr (requires { made->fan.wake(); }) made->fan.wake();
    };
    publishes.send = [made, mailboxes](std::uint64_t messages) {
      Fan* const fan = opaque(&made->fan);
      const std::uint64_t before = made->count.count();
      made->count.expect(messages * mailboxes);
      for (std::uint64_t i = 0; i < messages; ++i) {
        patience with;
        while (i * mailboxes - (made->count.count() - before) > ahead * mailboxes) with.wait();
        fan->send(order_created{i, 9.99});
        clobber();
      }
      made->count.wait();
    };
    return publishes;
  };
  return {std::move(name), what, make, mailboxes};
}

template <class Fan>
contender fanning_out(std::uint64_t mailboxes) {
  return fanning_out<Fan>(Fan::name, Fan::what, mailboxes);
}

/// The baseline: mailboxes that the other thread looks into in turn. They share the message.
class locked_vectors {
 public:
  static constexpr const char* name = "mutex and vector of shared_ptr each, polled";
  static constexpr role what = role::baseline;

  locked_vectors(tally& count, std::uint64_t size)
      : mailboxes_(size), receiver_(other_core, count, [this, &count] { look(count); }) {}

  void send(const order_created& event) {
    const auto shared = std::make_shared<const order_created>(event);
    for (mailbox& each : mailboxes_) {
      const std::lock_guard lock(each.mutex);
      each.waiting.push_back(shared);
    }
  }
  void wake() { receiver_.wake(); }

 private:
  struct mailbox {
    std::mutex mutex;
    std::vector<std::shared_ptr<const order_created>> waiting;
  };

  void look(tally& count) {
    bool found = false;
    for (mailbox& each : mailboxes_) {
      {
        const std::lock_guard lock(each.mutex);
        taken_.swap(each.waiting);
      }
      found = found || !taken_.empty();
      for (const auto& message : taken_) count.handled(*message);
      taken_.clear();
    }
    if (!found) std::this_thread::yield();
  }

  std::vector<mailbox> mailboxes_;
  std::vector<std::shared_ptr<const order_created>> taken_;
  looker receiver_;
};

/// A strand for each mailbox, and a function object that shares the message for each of them.
class strands {
 public:
  static constexpr const char* name = "asio::post to a strand each";
  static constexpr role what = role::peer;

  strands(tally& count, std::uint64_t size) : count_(count) {
    for (std::uint64_t i = 0; i < size; ++i) all_.push_back(asio::make_strand(there_.context()));
  }

  void send(const order_created& event) {
    const auto shared = std::make_shared<const order_created>(event);
    for (const auto& each : all_) {
      asio::post(each, [shared, &count = count_] { count.handled(*shared); });
    }
  }

 private:
  tally& count_;
  context_thread there_{other_core};
  std::vector<asio::strand<asio::io_context::executor_type>> all_;
};

#ifdef MSGBUS_BENCH_WITH_CAF
/// An actor for each mailbox. The content of a message of CAF is shared.
class actors {
 public:
  static constexpr const char* name = "CAF actor each";
  static constexpr role what = role::peer;

  actors(tally& count, std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      all_.push_back(system_->spawn([&count](caf::event_based_actor*) -> caf::behavior {
        stay_on(other_core);
        return {[&count](const order_created& event) { count.handled(event); }};
      }));
    }
  }
  ~actors() {
    for (const caf::actor& each : all_) {
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    }
  }
  actors(const actors&) = delete;

  void send(const order_created& event) {
    const caf::message shared = caf::make_message(event);
    for (const caf::actor& each : all_) caf::anon_send(each, shared);
  }

 private:
  caf_system system_;
  std::vector<caf::actor> all_;
};
#endif

/// A message of four kilobytes that counts its copies, of which there must be none.
struct large_order : order_created {
  explicit large_order(const order_created& event) : order_created(event) {}
  large_order(const large_order& other) : order_created(other) { ++copies; }
  large_order(large_order&& other) noexcept : order_created(other) {
    std::memcpy(rest, other.rest, sizeof rest);
  }
  large_order& operator=(const large_order&) = delete;

  static inline std::atomic<std::uint64_t> copies{0};

  char rest[4096 - sizeof(order_created)] = {};
};

/// Subscribers of one topic, with a mailbox each, and a publisher that is bound to all of them.
template <class Message>
class publishing {
 public:
  static constexpr const char* name = "msgbus publisher.post";
  static constexpr role what = role::project;

  publishing(tally& count, std::uint64_t size, std::size_t capacity = 1024) : size_(size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      auto& each = all_.emplace_back(there_.executor(),
                                     msgbus::async::mailbox_options{.capacity = capacity});
      each.subscribe("orders.created", [&count](const Message& event) { count.handled(event); });
      bus_.bind(each);
    }
  }

  void send(const order_created& event) {
    const msgbus::async::receipt sent = bus_.post(Message(event), "orders.created");
    if (sent.admitted == size_) return;
    std::fprintf(stderr, "\n%zu of %zu mailboxes took a message\n", sent.admitted, size_);
    std::_Exit(1);
  }

  ~publishing() {
    if (large_order::copies == 0) return;
    std::fprintf(stderr, "\nmessages were copied\n");
    std::_Exit(1);
  }
  publishing(const publishing&) = delete;

 private:
  const std::size_t size_;
  context_thread there_{other_core};
  std::deque<msgbus::async::subscriber> all_;
  msgbus::async::publisher bus_;
};
using publishing_orders = publishing<order_created>;

}  // namespace

workload a7_thousand_mailboxes() {
  using enum target::kind;
  constexpr std::uint64_t size = 1000;
  workload w{"A7", "Publish to 1 000 mailboxes of another thread", {}, {}, "publish"};
  w.sample_ms = 10;
  w.contenders = {
      fanning_out<locked_vectors>(size),
      fanning_out<publishing_orders>(size),
      fanning_out<publishing_orders>(std::string(publishing_orders::name) + ", capacity 64",
                                     role::project, size, std::size_t{64}),
      fanning_out<publishing<large_order>>(
          std::string(publishing_orders::name) + ", capacity 64, 4 KiB not copied", role::project,
          size, std::size_t{64}),
#ifdef MSGBUS_BENCH_WITH_CAF
      fanning_out<actors>(size),
#endif
      fanning_out<strands>(size),
  };
  w.targets = {
      {at_most_times, publishing_orders::name, 1.2, locked_vectors::name},
  };
  return w;
}

growth mailboxes() {
  return {"scaling_mailboxes",
          "Publish to n mailboxes of another thread",
          "mailboxes",
          {1, 10, 100, 1000, 10'000, 100'000},
          [](std::uint64_t size) {
            return std::vector<contender>{
                fanning_out<locked_vectors>(size),
                fanning_out<publishing_orders>(size),
#ifdef MSGBUS_BENCH_WITH_CAF
                fanning_out<actors>(size),
#endif
                fanning_out<strands>(size),
            };
          },
          {{publishing_orders::name, 10, 100'000, 1.25, locked_vectors::name}},
          "publish",
          10};
}

}  // namespace bench
