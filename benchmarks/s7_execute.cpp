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

/// The baseline: the signature is the same for all, and known to the caller.
struct named_functions {
  named_functions() {
    for (int i = 0; i < operations; ++i) {
      map.emplace(name_of(i), [](int, std::string) { ++counter; });
    }
  }
  template <class Text>
  void execute(int number, const Text& given) {
    const auto found = map.find(name);
    if (found != map.end()) found->second(number, given);
  }

  std::unordered_map<std::string, std::function<void(int, std::string)>> map;
  std::string name = name_of(42);
  std::string text = alice;
};

struct typed_function {
  std::function<void(int, std::string)> call = [](int, std::string) { ++counter; };
};

struct service {
  service() {
    for (int i = 0; i < operations; ++i) {
      bus.handler(name_of(i), [](int, std::string) { ++counter; });
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
      bus.handler("rename", [](int, Text) { ++counter; });
};

template <class State, class Once>
contender calling(std::string name, role what, std::string baseline, Once once) {
  auto make = [once] { return sending(std::make_shared<State>(), once); };
  return {std::move(name), what, make, 1, std::move(baseline)};
}

}  // namespace

workload s7_execute() {
  using enum target::kind;
  const std::string map = "unordered_map to std::function(int, string)";
  const std::string map_text = "unordered_map to std::function(int, \"Alice\")";
  const std::string call = "std::function(int, \"Alice\")";
  const std::string by_name = "msgbus execute(name, int, string)";
  const std::string by_name_text = "msgbus execute(name, int, \"Alice\")";
  const std::string typed = "msgbus operation(int, const string&)";
  contender s1 = dispatching<consumer>(1);
  s1.name = "S1: " + s1.name;
  s1.what = role::reference;

  workload w{"S7", "Execute a command", {}, {}, "call"};
  w.contenders = {
      calling<named_functions>(
          map, role::baseline, "",
          [](auto& to, std::uint64_t i) { to.execute(static_cast<int>(i), to.text); }),
      calling<named_functions>(
          map_text, role::baseline, "",
          [](auto& to, std::uint64_t i) { to.execute(static_cast<int>(i), alice); }),
      calling<typed_function>(
          call, role::baseline, "",
          [](auto& to, std::uint64_t i) { to.call(static_cast<int>(i), alice); }),
      s1,
      calling<service>(
          by_name, role::project, map,
          [](auto& to, std::uint64_t i) { to.bus.execute(to.name, static_cast<int>(i), to.text); }),
      calling<service>(
          by_name_text, role::project, map_text,
          [](auto& to, std::uint64_t i) { to.bus.execute(to.name, static_cast<int>(i), alice); }),
      calling<typed_operation<const std::string&>>(
          typed, role::project, call,
          [](auto& to, std::uint64_t i) { to.call(static_cast<int>(i), to.text); }),
      calling<typed_operation<std::string>>(
          "msgbus operation(int, \"Alice\")", role::project, call,
          [](auto& to, std::uint64_t i) { to.call(static_cast<int>(i), alice); }),
  };
  w.targets = {
      {at_most_times, by_name, 1.8, map},
      {at_most_times, by_name_text, 2.5, map_text},
      {at_most_times, typed, 0.8, call},
  };
  return w;
}

}  // namespace bench
