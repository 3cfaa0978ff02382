#pragma once

/// Runs a scenario again and again, each time cut off one step later, and destroys everything
/// there: under a sanitizer that proves that taking it down is safe at every point (A12).

#include <msgbus/testing/stepping_executor.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace msgbus::testing {

/// What is destroyed first: the context, or what the scenario is made of.
enum class teardown { context_first, components_first, both };

struct cut_off_options {
  teardown order = teardown::both;  ///< `both`: each cut is made twice
  std::optional<shuffled> shuffle{};
  std::size_t limit = 10'000;  ///< a scenario of more steps is an error
};

struct cut_off_report {
  std::size_t steps = 0;  ///< of the whole scenario
  std::size_t cuts = 0;   ///< runs that were cut off before its end
};

namespace detail {

template <class T>
struct held {
  template <class Build>
  held(Build& build, stepping_context& context) : scenario(std::invoke(build, context)) {}
  T scenario;
};

template <>
struct held<void> {
  template <class Build>
  held(Build& build, stepping_context& context) {
    std::invoke(build, context);
  }
};

template <class T>
concept goes_on_when_idle = requires(T& running) {
  { running.scenario.when_idle() } -> std::convertible_to<bool>;
};

/// Whether that many steps could be done.
template <class Held>
bool do_steps(std::size_t steps, stepping_context& context, Held& running) {
  for (; steps != 0; --steps) {
    if (context.step()) continue;
    if constexpr (goes_on_when_idle<Held>) {
      if (running.scenario.when_idle()) continue;
    }
    return false;
  }
  return true;
}

/// Whether it was cut off, and did not end before.
template <class Build>
bool run_cut_off(Build& build, std::size_t after, bool context_first,
                 const std::optional<shuffled>& shuffle) {
  using scenario = std::invoke_result_t<Build&, stepping_context&>;
  std::optional<stepping_context> context;
  if (shuffle) {
    context.emplace(*shuffle);
  } else {
    context.emplace();
  }
  std::optional<held<scenario>> running(std::in_place, build, *context);
  const bool cut = do_steps(after, *context, *running);
  if (context_first) {
    context.reset();
    running.reset();
  } else {
    running.reset();
    context.reset();
  }
  return cut;
}

}  // namespace detail

/// `build(stepping_context&)` makes the components, starts what they do and returns them, as an
/// object that may be immovable. That is done on a fresh context each time, which then does 0, 1,
/// 2,
/// ... steps, until the scenario ends by itself: until nothing is left to do. If the object has a
/// `bool when_idle()`, that is called when nothing is left, and counts as a step if it returns
/// true: it may advance a clock. What a step throws is thrown.
///
///     struct scenario {
///       explicit scenario(stepping_context& context)
///           : consumer(context.get_executor()), sent(context.spawn(consumer.send(order{1}))) {}
///       msgbus::async::consumer consumer;
///       spawned<msgbus::receipt> sent;
///     };
///     cut_off_at_every_step([](stepping_context& context) { return scenario(context); });
template <class Build>
  requires std::invocable<Build&, stepping_context&>
cut_off_report cut_off_at_every_step(Build build, const cut_off_options& options = {}) {
  cut_off_report report;
  for (std::size_t after = 0;; ++after) {
    if (after > options.limit) {
      throw std::runtime_error("msgbus: the scenario has not ended after " +
                               std::to_string(options.limit) + " steps");
    }
    std::size_t runs = 0, cut = 0;
    for (const bool context_first : {true, false}) {
      if (options.order == (context_first ? teardown::components_first : teardown::context_first)) {
        continue;
      }
      ++runs;
      if (detail::run_cut_off(build, after, context_first, options.shuffle)) ++cut;
    }
    if (cut != 0 && cut != runs) {
      throw std::runtime_error("msgbus: the scenario has " + std::to_string(after) +
                               " steps or more in one run and fewer in another");
    }
    if (cut == 0) return report;
    // Cut off after this many steps; nobody knew yet whether that was the end.
    report.cuts = after * runs;
    report.steps = after;
  }
}

}  // namespace msgbus::testing
