// A6: a question to another thread, and its answer, with both threads asleep in between. Each trip
// is timed by itself. Most of it is the waking of two cores.

#include "async_buses.hpp"
#include "peer_asio.hpp"
#include "peer_caf.hpp"
#include "peer_zeromq.hpp"
#include "workloads.hpp"

#include <asio/bind_executor.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

namespace bench {

/// On another thread than the one that asks.
constexpr unsigned other_core = 1;

class executing {
 public:
  static constexpr const char* name = "msgbus service.execute";
  static constexpr role what = role::project;

  explicit executing(tally& count) {
    bus_.handler("confirm", [&count](const order_created& event) {
      count.handled(event);
      return event.id;
    });
  }

  asio::awaitable<std::uint64_t> go(order_created event) {
    return bus_.execute<std::uint64_t>("confirm", event);
  }

 private:
  context_thread there_{other_core};
  msgbus::async::service bus_{there_.executor()};
};

namespace {

using clock = std::chrono::steady_clock;

void record(histogram& into, clock::time_point since) noexcept {
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - since);
  into.add(static_cast<std::uint64_t>(took.count()));
}

void check(std::uint64_t answer, std::uint64_t asked) {
  if (answer == asked) return;
  std::fprintf(stderr, "\nthe answer to another question came back\n");
  std::_Exit(1);
}

// --- trips that are awaited ----------------------------------------------------------------------

/// A `Trip` has `go(event)`, which is answered on another thread with the event's number.
template <class Trip>
asio::awaitable<void> go(Trip& there, histogram& each, std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) {
    idle();
    const order_created event{i, 9.99};
    const auto start = clock::now();
    const std::uint64_t answer = co_await there.go(event);
    record(each, start);
    check(answer, i);
  }
}

template <class Trip>
contender awaited() {
  struct state {
    tally count;
    asio::io_context context{1};
    Trip trip{count};
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    auto each = std::make_shared<histogram>();
    subject trips;
    trips.each = each;
    trips.handled = [made] { return made->count.count(); };
    trips.send = [made, each](std::uint64_t messages) {
      made->count.expect(messages);
      run_here(made->context, go(made->trip, *each, messages));
      made->count.wait();
    };
    return trips;
  };
  return {Trip::name, Trip::what, make};
}

/// The coroutine itself goes to the other thread and comes back.
class hop {
 public:
  static constexpr const char* name = "co_await asio::post there and back";
  static constexpr role what = role::baseline;

  explicit hop(tally& count) : count_(count) {}

  asio::awaitable<std::uint64_t> go(order_created event) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const auto there = there_.context().get_executor();
    co_await asio::post(asio::bind_executor(there, asio::use_awaitable));
    count_.handled(event);
    co_await asio::post(asio::bind_executor(here, asio::use_awaitable));
    co_return event.id;
  }

 private:
  tally& count_;
  context_thread there_{other_core};
};

// --- trips that block ----------------------------------------------------------------------------

template <class Trip>
contender blocking() {
  struct state {
    tally count;
    Trip trip{count};
  };
  auto make = [] {
    auto made = std::make_shared<state>();
    auto each = std::make_shared<histogram>();
    subject trips;
    trips.each = each;
    trips.handled = [made] { return made->count.count(); };
    trips.send = [made, each](std::uint64_t messages) {
      made->count.expect(messages);
      for (std::uint64_t i = 0; i < messages; ++i) {
        idle();
        const auto start = clock::now();
        const std::uint64_t answer = made->trip.go(order_created{i, 9.99});
        record(*each, start);
        check(answer, i);
      }
      made->count.wait();
    };
    return trips;
  };
  return {Trip::name, Trip::what, make};
}

#ifdef MSGBUS_BENCH_WITH_CAF
/// A request of an actor, made by a thread that is none, as the manual has it: by a scoped actor.
class caf_request {
 public:
  static constexpr const char* name = "CAF request";
  static constexpr role what = role::peer;

  explicit caf_request(tally& count)
      : actor_(system_->spawn([&count](caf::event_based_actor*) -> caf::behavior {
          stay_on(other_core);
          return {[&count](const order_created& event) {
            count.handled(event);
            return event.id;
          }};
        })) {}
  ~caf_request() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  caf_request(const caf_request&) = delete;

  std::uint64_t go(const order_created& event) {
    std::uint64_t answer = UINT64_MAX;
    self_->request(actor_, caf::infinite, event)
        .receive([&answer](std::uint64_t id) { answer = id; }, [](const caf::error&) {});
    return answer;
  }

 private:
  caf_system system_;
  caf::scoped_actor self_{*system_};
  caf::actor actor_;
};
#endif

#ifdef MSGBUS_BENCH_WITH_ZEROMQ
/// REQ and REP over inproc.
class zeromq_request {
 public:
  static constexpr const char* name = "ZeroMQ inproc, REQ to REP";
  static constexpr role what = role::peer;

  explicit zeromq_request(tally& count) {
    answering_.bind(address);
    asking_.connect(address);
    thread_ = std::thread([this, &count] {
      stay_on(other_core);
      for (;;) {
        zmq::message_t question;
        if (!answering_.recv(question) || question.size() == 0) return;
        order_created event;
        std::memcpy(&event, question.data(), sizeof event);
        count.handled(event);
        answering_.send(zmq::buffer(&event.id, sizeof event.id), zmq::send_flags::none);
      }
    });
  }
  ~zeromq_request() {
    asking_.send(zmq::message_t(), zmq::send_flags::none);
    thread_.join();
  }
  zeromq_request(const zeromq_request&) = delete;

  std::uint64_t go(const order_created& event) {
    asking_.send(zmq::buffer(&event, sizeof event), zmq::send_flags::none);
    zmq::message_t answer;
    std::uint64_t id = UINT64_MAX;
    if (asking_.recv(answer)) std::memcpy(&id, answer.data(), sizeof id);
    return id;
  }

 private:
  static constexpr const char* address = "inproc://confirm";

  zmq::context_t context_{0};
  zmq::socket_t answering_{context_, ZMQ_REP};
  zmq::socket_t asking_{context_, ZMQ_REQ};
  std::thread thread_;
};
#endif

}  // namespace

workload a6_round_trip() {
  using enum target::kind;
  workload w{"A6", "Round trip between two idle threads", {}, {}, "round trip"};
  w.sample_ms = 10;
  w.contenders = {
      awaited<hop>(),
      awaited<executing>(),
#ifdef MSGBUS_BENCH_WITH_CAF
      blocking<caf_request>(),
#endif
#ifdef MSGBUS_BENCH_WITH_ZEROMQ
      blocking<zeromq_request>(),
#endif
  };
  w.targets = {
      {at_most_times, executing::name, 1.05, hop::name},
      {at_most_allocations, executing::name, 2.01},
  };
  return w;
}

}  // namespace bench
