// S4: a message is published to one of a thousand topics, to each in turn. The topic is given as
// text, or was resolved when compiling, as a `topic<T>`; and ten thousand wildcard patterns may be
// there as well.

#include "buses.hpp"
#include "topics.hpp"
#include "workloads.hpp"

#include <array>

namespace bench {

namespace {

constexpr std::size_t topics = 1000;
constexpr std::size_t patterns = 10'000;

// orders.0000.placed to orders.0999.placed, at compile time.
template <std::size_t I>
struct name {
  static constexpr std::array<char, 18> text{'o',
                                             'r',
                                             'd',
                                             'e',
                                             'r',
                                             's',
                                             '.',
                                             '0' + I / 1000,
                                             '0' + I / 100 % 10,
                                             '0' + I / 10 % 10,
                                             '0' + I % 10,
                                             '.',
                                             'p',
                                             'l',
                                             'a',
                                             'c',
                                             'e',
                                             'd'};
  static constexpr msgbus::topic<order_created> topic{std::string_view(text.data(), text.size())};
};

using typed_topic = const msgbus::topic<order_created>*;

template <std::size_t... I>
std::vector<typed_topic> typed_topics(std::index_sequence<I...>) {
  return {&name<I>::topic...};
}

/// Subscribes so many handlers to so many patterns, `make(i)` each, none of which is ever called.
template <class MakePattern>
auto with_patterns(MakePattern make) {
  return [make](msgbus::sync::subscriber& bus) {
    for (std::size_t i = 0; i < patterns; ++i) {
      bus.subscribe(make(i), [](const order_created&) {});
    }
  };
}

void without_patterns(msgbus::sync::subscriber&) {}

/// A publisher with one subscriber that has a handler on each of the topics.
struct published : topic_state {
  template <class Prepare>
  explicit published(Prepare prepare) : topic_state(topics) {
    prepare(bound);
    for (const std::string& each : names) {
      bound.subscribe(each, [](const order_created&) { ++counter; });
    }
    bus.bind(bound);
  }

  msgbus::sync::subscriber bound;
  msgbus::sync::publisher bus;
  std::vector<typed_topic> typed = typed_topics(std::make_index_sequence<topics>{});
};

template <class Prepare>
contender publishing(std::string name, Prepare prepare) {
  auto make = [prepare] {
    return sending(std::make_shared<published>(prepare), [](published& to, std::uint64_t i) {
      to.bus.publish(order_created{i, 9.99}, to.next());
    });
  };
  return {std::move(name), role::project, make};
}

contender receiving() {
  auto make = [] {
    return sending(std::make_shared<published>(without_patterns),
                   [](published& to, std::uint64_t i) {
                     to.bound.receive(order_created{i, 9.99}, to.next());
                   });
  };
  return {"msgbus subscriber.receive", role::project, make};
}

contender publishing_typed(std::string name) {
  auto make = [] {
    return sending(std::make_shared<published>(without_patterns),
                   [](published& to, std::uint64_t i) {
                     to.bus.publish(order_created{i, 9.99}, *to.typed[to.next_index()]);
                   });
  };
  return {std::move(name), role::project, make};
}

contender publishing_one_typed(std::string name) {
  auto make = [] {
    return sending(std::make_shared<published>(without_patterns),
                   [](published& to, std::uint64_t i) {
                     to.bus.publish(order_created{i, 9.99}, *opaque(to.typed[0]));
                   });
  };
  return {std::move(name), role::project, make};
}

/// Every topic is taken by one of the patterns, and by no handler of its own.
contender publishing_to_patterns(std::string name) {
  struct state : topic_state {
    state() : topic_state(topics) {
      for (std::size_t i = 0; i < patterns; ++i) {
        bound.subscribe("orders." + number(i) + ".*", [](const order_created&) { ++counter; });
      }
      bus.bind(bound);
    }
    msgbus::sync::subscriber bound;
    msgbus::sync::publisher bus;
  };
  auto make = [] {
    return sending(std::make_shared<state>(), [](state& to, std::uint64_t i) {
      to.bus.publish(order_created{i, 9.99}, to.next());
    });
  };
  return {std::move(name), role::project, make};
}

contender as_reference(contender c) {
  c.name = "S1: " + c.name;
  c.what = role::reference;
  return c;
}

}  // namespace

workload s4_topics() {
  using enum target::kind;
  const contender s1 = as_reference(dispatching<consumer>(1));
  const std::string map = topic_map::name;
  const std::string exact = "msgbus publish";
  const std::string typed = "msgbus publish, topic<T>";
  const std::string elsewhere = "msgbus publish, 10 000 patterns elsewhere";
  const std::string beside = "msgbus publish, 10 000 patterns share its first tokens";
  const std::string through = "msgbus publish, taken by 1 of 10 000 patterns";
  workload w{"S4", "Publish to 1 of 1 000 topics", {}, {}};
  w.contenders = {
      finding<topic_map>(topics),
      s1,
      publishing(exact, without_patterns),
      receiving(),
      publishing_typed(typed),
      publishing_one_typed("msgbus publish, topic<T>, always the same"),
      publishing(elsewhere,
                 with_patterns([](std::size_t i) { return "billing." + number(i) + ".*"; })),
      publishing(beside,
                 with_patterns([](std::size_t i) { return "orders." + number(i) + ".*.audit"; })),
      publishing_to_patterns(through),
  };
  w.targets = {
      {at_most_times, exact, 1.3, map},     {at_most_times, typed, 1.0, map},
      {at_most_times, elsewhere, 3, exact}, {at_most_times, beside, 3, exact},
      {at_most_times, through, 2.5, map},   {at_most_allocations, exact, 0},
      {at_most_allocations, typed, 0},      {at_most_allocations, elsewhere, 0},
      {at_most_allocations, beside, 0},     {at_most_allocations, through, 0},
  };
  return w;
}

}  // namespace bench
