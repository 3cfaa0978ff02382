// S6: S1 with a handler that has dependencies: one, or one that needs another that needs a third.
// The floors call the same functions directly. The handler writes where the innermost dependency
// leads, and that is what is checked: an override that did not take effect is found.

#include "buses.hpp"
#include "workloads.hpp"

namespace bench {

namespace {

struct books {
  std::uint64_t entries = 0;
};
struct connection {
  books* to;
};
struct session {
  connection on;
};

books& default_books() {
  static constinit books all;
  return all;
}

// The dependencies: the innermost gives a reference, the others give values.
books& get_books() { return default_books(); }
connection get_connection(msgbus::depends<get_books> to) { return {&*to}; }
session get_session(msgbus::depends<get_connection> on) { return {*on}; }

inline constexpr msgbus::required<books&> required_books{"books"};

void with_books(msgbus::yield<books&> yield) { yield(default_books()); }
connection connect_with_clean_up(msgbus::depends<with_books> to) { return {&*to}; }
session session_with_clean_up(msgbus::depends<connect_with_clean_up> on) { return {*on}; }

/// A bus, and the books to write in where the dependencies are overridden.
template <class Bus>
struct state {
  Bus bus;
  books other;
  connection other_connection{&other};
  session other_session{{&other}};
};

/// `prepare` attaches the handler and overrides what it wants overridden.
template <class Bus, class Prepare>
contender depending(std::string name, std::string floor, Prepare prepare, bool overridden = false) {
  using made_state = state<Bus>;
  auto make = [prepare, overridden] {
    auto made = std::make_shared<made_state>();
    prepare(*made);
    // The default books are one for all, so what was written there is counted sample by sample.
    auto in_default = std::make_shared<std::uint64_t>(0);
    return subject{
        [made, in_default](std::uint64_t messages) {
          const std::uint64_t before = default_books().entries;
          made_state* const to = opaque(made.get());
          for (std::uint64_t i = 0; i < messages; ++i) {
            to->bus.send(order_created{i, 9.99});
            clobber();
          }
          *in_default += default_books().entries - before;
        },
        [made, in_default, overridden] { return overridden ? made->other.entries : *in_default; }};
  };
  return {std::move(name), Bus::what, make, 1, std::move(floor)};
}

auto handle_books = [](const order_created&, msgbus::depends<get_books> to) { ++to->entries; };
auto handle_session = [](const order_created&, msgbus::depends<get_session> by) {
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
  // An overridden dependency may cost 6 ns, another one 2.
  const auto add_limited = [&](contender c, double limit) {
    w.targets.push_back({at_most_ns_more, c.name, limit, plain});
    w.targets.push_back({at_most_allocations, c.name, 0});
    add(std::move(c));
  };

  add(depending<functions>(no_call, "", [](auto& to) {
    to.bus.add([all = &default_books()](const order_created&) { ++all->entries; });
  }));
  add(depending<functions>(call_1, "", [](auto& to) {
    to.bus.add([](const order_created&) { ++get_books().entries; });
  }));
  add(depending<functions>(call_3, "", [](auto& to) {
    to.bus.add([](const order_created&) {
      connection on = get_connection(get_books());
      session by = get_session(on);
      ++by.on.to->entries;
    });
  }));
  add(depending<consumer>(plain, no_call, [](auto& to) {
    to.bus.add([all = &default_books()](const order_created&) { ++all->entries; });
  }));

  add_limited(depending<consumer>("msgbus, 1 dependency", call_1,
                                  [](auto& to) { to.bus.add(handle_books); }),
              2);
  add_limited(depending<consumer>(
                  "msgbus, 1 dependency, overridden", call_1,
                  [](auto& to) {
                    to.bus.add(handle_books);
                    to.bus.bus.override(get_books, [&to]() -> books& { return to.other; });
                  },
                  true),
              6);
  add_limited(depending<consumer>(
                  "msgbus, 1 required dependency, overridden", call_1,
                  [](auto& to) {
                    to.bus.add([](const order_created&, msgbus::depends<required_books> in) {
                      ++in->entries;
                    });
                    to.bus.bus.override(required_books, [&to]() -> books& { return to.other; });
                  },
                  true),
              6);
  add_limited(depending<consumer>("msgbus, 3 nested dependencies", call_3,
                                  [](auto& to) { to.bus.add(handle_session); }),
              6);
  add_limited(depending<consumer>(
                  "msgbus, 3 nested, the innermost overridden", call_3,
                  [](auto& to) {
                    to.bus.add(handle_session);
                    to.bus.bus.override(get_books, [&to]() -> books& { return to.other; });
                  },
                  true),
              10);
  add_limited(depending<consumer>(
                  "msgbus, 3 nested, all overridden by references", call_3,
                  [](auto& to) {
                    to.bus.add(handle_session);
                    auto& bus = to.bus.bus;
                    bus.override(get_books, [&to]() -> books& { return to.other; });
                    bus.override(get_connection,
                                 [&to]() -> connection& { return to.other_connection; });
                    bus.override(get_session, [&to]() -> session& { return to.other_session; });
                  },
                  true),
              18);
  add_limited(depending<consumer>(
                  "msgbus, 3 nested, all overridden by others that nest", call_3,
                  [](auto& to) {
                    to.bus.add(handle_session);
                    auto& bus = to.bus.bus;
                    bus.override(get_books, [&to]() -> books& { return to.other; });
                    bus.override(get_connection,
                                 [](msgbus::depends<get_books> in) { return connection{&*in}; });
                    bus.override(get_session,
                                 [](msgbus::depends<get_connection> on) { return session{*on}; });
                  },
                  true),
              18);

  add(depending<consumer>("msgbus, 1 dependency that cleans up", call_1, [](auto& to) {
    to.bus.add([](const order_created&, msgbus::depends<with_books> in) { ++in->entries; });
  }));
  add(depending<consumer>(
      "msgbus, 1 dependency that cleans up, overridden", call_1,
      [](auto& to) {
        to.bus.add([](const order_created&, msgbus::depends<with_books> in) { ++in->entries; });
        to.bus.bus.override(with_books, [&to](msgbus::yield<books&> yield) { yield(to.other); });
      },
      true));
  add(depending<consumer>("msgbus, 3 nested, the innermost cleans up", call_3, [](auto& to) {
    to.bus.add([](const order_created&, msgbus::depends<session_with_clean_up> by) {
      ++by->on.to->entries;
    });
  }));
  return w;
}

}  // namespace bench
