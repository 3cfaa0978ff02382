// How costs grow with handlers, topics, patterns, subscriptions and threads. What grows without
// need is a line that is steeper than its baseline's.

#include "buses.hpp"
#include "topics.hpp"
#include "workloads.hpp"

namespace bench {

namespace {

std::vector<std::uint64_t> powers_of_ten(std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t size = 1; size <= last; size *= 10) all.push_back(size);
  return all;
}

growth handlers() {
  return {"scaling_handlers",
          "Dispatch to n handlers",
          "handlers",
          powers_of_ten(10'000),
          [](std::uint64_t size) {
            return std::vector<contender>{
                dispatching<functions>(size),
                dispatching<consumer>(size),
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
                dispatching<signals2>(size),
#endif
#ifdef MSGBUS_BENCH_WITH_SIGCPP
                dispatching<sigcpp>(size),
#endif
            };
          },
          {{consumer::name, 10, 10'000, 1.25, functions::name}}};
}

// --- topics and patterns -------------------------------------------------------------------------

// No power of ten has a factor in common with it.
constexpr std::size_t prime = 7919;

struct subscribed : topic_state {
  static constexpr const char* name = "msgbus subscriber.receive";
  static constexpr role what = role::project;

  subscribed(std::size_t topics, std::size_t stride) : topic_state(topics, stride) {
    for (const std::string& each : names) {
      bus.subscribe(each, [](const order_created&) { ++counter; });
    }
  }
  void send(const order_created& event) { bus.receive(event, next()); }

  msgbus::sync::subscriber bus;
};

growth topics() {
  return {"scaling_topics",
          "Receive on one of n topics, in a scattered order",
          "topics",
          powers_of_ten(1'000'000),
          [](std::uint64_t size) {
            const std::size_t stride = prime % size;
            return std::vector<contender>{finding<topic_map>(size, stride),
                                          finding<subscribed>(size, stride)};
          },
          {{subscribed::name, 1000, 1'000'000, 1.25, topic_map::name}}};
}

/// A thousand exact topics, and patterns that have their first tokens, but not their last.
struct beside_patterns : subscribed {
  static constexpr const char* name = "taken by 1 of 1 000 exact topics";

  beside_patterns(std::size_t patterns, std::size_t stride) : subscribed(1000, stride) {
    for (std::size_t i = 0; i < patterns; ++i) {
      bus.subscribe("orders." + number(i) + ".*.audit", [](const order_created&) {});
    }
  }
};

/// Every topic is taken by one pattern.
struct through_patterns : topic_state {
  static constexpr const char* name = "taken by one of the patterns";
  static constexpr role what = role::project;

  through_patterns(std::size_t patterns, std::size_t stride) : topic_state(patterns, stride) {
    for (std::size_t i = 0; i < patterns; ++i) {
      bus.subscribe("orders." + number(i) + ".*", [](const order_created&) { ++counter; });
    }
  }
  void send(const order_created& event) { bus.receive(event, next()); }

  msgbus::sync::subscriber bus;
};

contender renamed(contender c, std::string name) {
  c.name = std::move(name);
  return c;
}

growth patterns() {
  return {"scaling_patterns",
          "Receive, with n wildcard patterns there",
          "patterns",
          powers_of_ten(100'000),
          [](std::uint64_t size) {
            const std::size_t stride = prime % size;
            return std::vector<contender>{
                renamed(finding<topic_map>(size, stride), "unordered_map with as many topics"),
                finding<beside_patterns>(size, 1), finding<through_patterns>(size, stride)};
          },
          {{beside_patterns::name, 1, 100'000, 3},
           {through_patterns::name, 1000, 100'000, 1.25, "unordered_map with as many topics"}}};
}

// --- subscriptions -------------------------------------------------------------------------------

struct unrelated {};

/// Subscribes and cancels, with so many handlers there: of the same type, or of another.
template <class Other>
contender cancelling(std::string name, std::uint64_t others) {
  using bus = msgbus::sync::consumer;
  auto make = [others] {
    auto made = std::make_shared<bus>();
    for (std::uint64_t i = 0; i < others; ++i) made->handler([](const Other&) {});
    return sending(std::move(made), [](bus& to, std::uint64_t) {
      auto added = to.handler([](const order_created&) {});
      clobber();
      added.cancel();
      if (!added.active()) ++counter;
    });
  };
  return {std::move(name), role::project, make};
}

growth subscriptions() {
  return {
      "scaling_subscriptions",
      "Subscribe and cancel, n other handlers there",
      "other handlers",
      powers_of_ten(10'000),
      [](std::uint64_t size) {
        return std::vector<contender>{cancelling<order_created>("others of the same type", size),
                                      cancelling<unrelated>("others of another type", size)};
      },
      // 1.25 times the work.
      {{"others of the same type", 100, 10'000, 125}, {"others of another type", 1, 10'000, 1.25}},
      "cycle"};
}

// --- threads -------------------------------------------------------------------------------------

template <class Bus>
contender from(std::uint64_t threads) {
  return renamed(dispatching_from<Bus>(static_cast<unsigned>(threads)), Bus::name);
}

growth threads() {
  return {"scaling_threads",
          "S1 from n threads",
          "threads",
          {1, 2, 3, 4},
          [](std::uint64_t size) {
            return std::vector<contender>{
                from<functions>(size),
                from<locked_functions>(size),
                from<consumer>(size),
#ifdef MSGBUS_BENCH_WITH_SIGNALS2
                from<signals2>(size),
#endif
            };
          },
          {},
          "message",
          50};
}

}  // namespace

std::vector<growth> scaling() {
  return {handlers(), topics(), patterns(), subscriptions(), threads()};
}

}  // namespace bench
