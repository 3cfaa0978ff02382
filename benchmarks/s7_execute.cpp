// S7: a command with a number and a text is carried out: by name, with arguments whose types are
// matched when it is called, or through the `operation` that registering it gave.

#include "buses.hpp"
#include "workloads.hpp"

#include <string>
#include <unordered_map>

namespace bench {

namespace {

constexpr int operations = 100;

std::string name_of(int i) { return "update-customer-" + std::to_string(i); }

// A text as commands carry them; short enough for no string to allocate.
constexpr const char* alice = "Alice";

struct counting {
  std::uint64_t count = 0;
};

/// The floor: the signature is the same for all, and known to the caller.
struct named_functions : counting {
  named_functions() {
    for (int i = 0; i < operations; ++i) {
      map.emplace(name_of(i), [this](int, std::string) { ++count; });
    }
  }
  std::unordered_map<std::string, std::function<void(int, std::string)>> map;
  std::string name = name_of(42);
};

struct typed_function : counting {
  std::function<void(int, std::string)> call = [this](int, std::string) { ++count; };
};

struct service : counting {
  service() {
    for (int i = 0; i < operations; ++i) {
      bus.handler(name_of(i), [this](int, std::string) { ++count; });
    }
  }
  msgbus::sync::service bus;
  std::string name = name_of(42);
  std::string text = alice;
};

/// A service with one more operation, whose text comes as a `Text`.
template <class Text>
struct typed_operation : service {
  msgbus::sync::operation<void(int, Text)> call =
      bus.handler("rename", [this](int, Text) { ++count; });
};

template <class State, class Once>
contender calling(std::string name, role what, std::string floor, Once once) {
  auto make = [once] { return sending(std::make_shared<State>(), once); };
  return {std::move(name), what, make, 1, std::move(floor)};
}

}  // namespace

workload s7_execute() {
  using enum target::kind;
  const std::string map = "unordered_map to std::function";
  const std::string call = "std::function";
  const std::string by_name = "msgbus execute(name, int, text)";
  const std::string typed = "msgbus operation(int, const string&)";
  contender s1 = dispatching<consumer>(1);
  s1.name = "S1: " + s1.name;
  s1.what = role::reference;

  workload w{"S7", "Execute a command", {}, {}, "call"};
  w.contenders = {
      calling<named_functions>(map, role::floor, "",
                               [](auto& to, std::uint64_t i) {
                                 const auto found = to.map.find(to.name);
                                 if (found == to.map.end()) return;
                                 found->second(static_cast<int>(i), alice);
                               }),
      calling<typed_function>(
          call, role::floor, "",
          [](auto& to, std::uint64_t i) { to.call(static_cast<int>(i), alice); }),
      s1,
      calling<service>(
          by_name, role::project, map,
          [](auto& to, std::uint64_t i) { to.bus.execute(to.name, static_cast<int>(i), alice); }),
      calling<service>(
          "msgbus execute(name, int, std::string)", role::project, map,
          [](auto& to, std::uint64_t i) { to.bus.execute(to.name, static_cast<int>(i), to.text); }),
      calling<typed_operation<const std::string&>>(
          typed, role::project, call,
          [](auto& to, std::uint64_t i) { to.call(static_cast<int>(i), to.text); }),
      calling<typed_operation<std::string>>(
          "msgbus operation(int, string)", role::project, call,
          [](auto& to, std::uint64_t i) { to.call(static_cast<int>(i), alice); }),
  };
  w.targets = {
      {at_most_times, by_name, 3, map},
      {at_most_times, typed, 2, s1.name},
  };
  return w;
}

}  // namespace bench
