// S6: S1 with a handler that has dependencies: one, or one that needs another that needs a third.
// The baselines call the same functions directly. The handler writes where the innermost dependency
// leads, and that is what is checked: an override that did not take effect is found.

#include "buses.hpp"
#include "workloads.hpp"

namespace bench {

struct books {
  std::uint64_t entries = 0;
};
inline constinit books default_books;
inline constinit books other_books;  // what overrides lead to

namespace {

struct connection {
  books* to;
};
struct session {
  connection on;
};

// The dependencies: the innermost gives a reference, the others give values.
books& get_books() { return default_books; }
connection get_pointer() { return {&default_books}; }
connection get_connection(msgbus::depends<get_books> to) { return {&*to}; }
session get_session(msgbus::depends<get_connection> on) { return {*on}; }

inline constexpr msgbus::required<books&> required_books{"books"};

void with_books(msgbus::yield<books&> yield) { yield(default_books); }
connection connect_with_clean_up(msgbus::depends<with_books> to) { return {&*to}; }
session session_with_clean_up(msgbus::depends<connect_with_clean_up> on) { return {*on}; }

/// `prepare` attaches the handler to the bus, and overrides what is to be overridden.
template <class Bus, class Prepare>
contender depending(std::string name, std::string baseline, Prepare prepare,
                    books& written = default_books) {
  auto make = [prepare, &written] {
    auto made = std::make_shared<Bus>();
    prepare(*made);
    return sending(
        std::move(made), [](Bus& to, std::uint64_t i) { to.send(order_created{i, 9.99}); },
        written.entries);
  };
  return {std::move(name), Bus::what, make, 1, std::move(baseline)};
}

const auto give_books = []() -> books& { return other_books; };
const auto handle_books = [](const order_created&, msgbus::depends<get_books> to) {
  ++to->entries;
};
const auto handle_session = [](const order_created&, msgbus::depends<get_session> by) {
  ++by->on.to->entries;
};

}  // namespace

workload s6_depends() {
  using enum target::kind;
  workload w{"S6", "S1 with dependencies", {}, {}};

  const std::string no_call = "vector of std::function";
  const std::string call_1 = "vector of std::function, 1 direct call";
  const std::string call_3 = "vector of std::function, 3 nested direct calls";
  const std::string plain = "msgbus, no dependency";
  const auto add = [&w](contender c) { w.contenders.push_back(std::move(c)); };
  // What dependencies add, in dispatches through a vector of std::function.
  const auto add_limited = [&](contender c, double limit) {
    w.targets.push_back({at_most_times_more, c.name, limit, plain, no_call});
    w.targets.push_back({at_most_allocations, c.name, 0});
    add(std::move(c));
  };

  add(depending<functions>(no_call, "", [](functions& to) {
    to.add([](const order_created&) { ++default_books.entries; });
  }));
  add(depending<functions>(call_1, "", [](functions& to) {
    to.add([](const order_created&) { ++get_books().entries; });
  }));
  add(depending<functions>(call_3, "", [](functions& to) {
    to.add([](const order_created&) {
      connection on = get_connection(get_books());
      session by = get_session(on);
      ++by.on.to->entries;
    });
  }));
  add(depending<consumer>(plain, no_call, [](consumer& to) {
    to.add([](const order_created&) { ++default_books.entries; });
  }));

  // --- what has a target -------------------------------------------------------------------------

  add_limited(depending<consumer>("msgbus, 1 dependency", call_1,
                                  [](consumer& to) { to.add(handle_books); }),
              0.7);
  add_limited(depending<consumer>(
                  "msgbus, 1 dependency, overridden", call_1,
                  [](consumer& to) {
                    to.add(handle_books);
                    to.bus.override(get_books, give_books);
                  },
                  other_books),
              4);
  add_limited(
      depending<consumer>(
          "msgbus, 1 required dependency, overridden", call_1,
          [](consumer& to) {
            to.add([](const order_created&, msgbus::depends<required_books> in) { ++in->entries; });
            to.bus.override(required_books, give_books);
          },
          other_books),
      4);
  add_limited(depending<consumer>("msgbus, 3 nested dependencies", call_3,
                                  [](consumer& to) { to.add(handle_session); }),
              4);
  add_limited(depending<consumer>(
                  "msgbus, 3 nested, the innermost overridden", call_3,
                  [](consumer& to) {
                    to.add(handle_session);
                    to.bus.override(get_books, give_books);
                  },
                  other_books),
              7);
  add_limited(depending<consumer>(
                  "msgbus, 3 nested, all overridden by references", call_3,
                  [](consumer& to) {
                    to.add(handle_session);
                    to.bus.override(get_books, give_books);
                    to.bus.override(
                        get_connection,
                        [in = connection{&other_books}]() mutable -> connection& { return in; });
                    to.bus.override(
                        get_session,
                        [by = session{{&other_books}}]() mutable -> session& { return by; });
                  },
                  other_books),
              8);
  add_limited(depending<consumer>(
                  "msgbus, 3 nested, all overridden by others that nest", call_3,
                  [](consumer& to) {
                    to.add(handle_session);
                    to.bus.override(get_books, give_books);
                    to.bus.override(get_connection,
                                    [](msgbus::depends<get_books> in) { return connection{&*in}; });
                    to.bus.override(get_session, [](msgbus::depends<get_connection> on) {
                      return session{*on};
                    });
                  },
                  other_books),
              8);

  // --- what has none -----------------------------------------------------------------------------

  add(depending<consumer>(
      "msgbus, 1 dependency, overridden by a value", call_1,
      [](consumer& to) {
        to.add([](const order_created&, msgbus::depends<get_pointer> in) { ++in->to->entries; });
        to.bus.override(get_pointer, [] { return connection{&other_books}; });
      },
      other_books));
  add(depending<consumer>("msgbus, 1 dependency that cleans up", call_1, [](consumer& to) {
    to.add([](const order_created&, msgbus::depends<with_books> in) { ++in->entries; });
  }));
  add(depending<consumer>(
      "msgbus, 1 dependency that cleans up, overridden", call_1,
      [](consumer& to) {
        to.add([](const order_created&, msgbus::depends<with_books> in) { ++in->entries; });
        to.bus.override(with_books, [](msgbus::yield<books&> yield) { yield(other_books); });
      },
      other_books));
  add(depending<consumer>("msgbus, 3 nested, the innermost cleans up", call_3, [](consumer& to) {
    to.add([](const order_created&, msgbus::depends<session_with_clean_up> by) {
      ++by->on.to->entries;
    });
  }));
  return w;
}

}  // namespace bench
