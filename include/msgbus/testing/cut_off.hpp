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

/// In which order everything goes: the context, and the scenario's components.
enum class teardown {
  context_first,     ///< the context, then the components
  components_first,  ///< the components, then the context, without a step in between
  /// The components; then the steps that are left are done, as in a program that goes on; then the
  /// context. This finds a handler that is suspended while the objects it refers to are destroyed.
  components_first_then_run,
  both,  ///< each cut is made twice: `context_first` and `components_first`
  every  ///< each cut is made in all three ways
};

struct cut_off_options {
  teardown order = teardown::every;
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

/// The scenario is behind a pointer.
template <class T>
concept points_to_what_goes_on = requires(T& running) {
  { running.scenario->when_idle() } -> std::convertible_to<bool>;
};

/// The ways of `order` that there are to try.
[[nodiscard]] constexpr bool is_asked_for(teardown order, teardown way) noexcept {
  return order == way || order == teardown::every ||
         (order == teardown::both && way != teardown::components_first_then_run);
}

/// Does what is left when the components have gone.
void run_on(stepping_context& context, std::size_t limit);

/// Whether that many steps could be done.
template <class Held>
bool do_steps(std::size_t steps, stepping_context& context, Held& running) {
  for (; steps != 0; --steps) {
    if (context.step()) continue;
    if constexpr (goes_on_when_idle<Held>) {
      if (running.scenario.when_idle()) continue;
    } else if constexpr (points_to_what_goes_on<Held>) {
      if (running.scenario->when_idle()) continue;
    }
    return false;
  }
  return true;
}

/// Whether it was cut off, and did not end before.
template <class Build>
bool run_cut_off(Build& build, std::size_t after, teardown way, const cut_off_options& options) {
  using scenario = std::invoke_result_t<Build&, stepping_context&>;
  std::optional<stepping_context> context;
  if (options.shuffle) {
    context.emplace(*options.shuffle);
  } else {
    context.emplace();
  }
  std::optional<held<scenario>> running(std::in_place, build, *context);
  const bool cut = do_steps(after, *context, *running);
  if (way == teardown::context_first) context.reset();
  running.reset();
  if (way == teardown::components_first_then_run) run_on(*context, options.limit);
  context.reset();
  return cut;
}

}  // namespace detail

/// `build(stepping_context&)` makes the components, starts what they do and returns them, as an
/// object that may be immovable. That is done on a fresh context each time, which then does 0, 1,
/// 2, ... steps, until the scenario ends by itself: until nothing is left to do. If the object, or
/// the one that it points to, has a `bool when_idle()`, that is called when nothing is left, and
/// counts as a step if it returns true: it may advance a clock. What a step throws is thrown.
///
/// Whatever runs on without the components must not refer to them: give coroutines and handlers
/// what they use as `std::shared_ptr`s. A scenario whose own coroutines cannot do that says
/// `{.order = teardown::both}`.
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
    for (const teardown way : {teardown::context_first, teardown::components_first,
                               teardown::components_first_then_run}) {
      if (!detail::is_asked_for(options.order, way)) continue;
      ++runs;
      if (detail::run_cut_off(build, after, way, options)) ++cut;
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
