#pragma once

/// Repeats a scenario, torn down after each step: first after no step, then after one, and so on.
/// Under a sanitizer, that proves that destruction is safe at every point (A12).

#include <msgbus/testing/stepping_executor.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace msgbus::testing {

/// The order of destruction: the context, and the components of the scenario.
enum class teardown {
  context_first,     ///< the context, then the components
  components_first,  ///< the components, then the context, without a step in between
  /// The components; then the remaining steps run, as in a program that continues; then the
  /// context. This finds suspended handlers that use destroyed objects.
  components_first_then_run,
  both,  ///< each cut twice: `context_first` and `components_first`
  every  ///< each cut in all three orders
};
std::ostream& operator<<(std::ostream& out, teardown value);

/// The options of `cut_off_at_every_step`.
struct cut_off_options {
  teardown order = teardown::every;   ///< the orders of destruction to try
  std::optional<shuffled> shuffle{};  ///< runs steps in a random order
  std::size_t limit = 10'000;         ///< a scenario with more steps is an error
};

/// The result of `cut_off_at_every_step`.
struct cut_off_report {
  std::size_t steps = 0;  ///< the steps of the whole scenario
  std::size_t cuts = 0;   ///< the runs that were torn down before the end
};
std::ostream& operator<<(std::ostream& out, const cut_off_report& value);

namespace detail {

template <class T>
struct running_scenario {
  template <class Build>
  running_scenario(Build& build, stepping_context& context)
      : scenario(std::invoke(build, context)) {}
  T scenario;
};

template <>
struct running_scenario<void> {
  template <class Build>
  running_scenario(Build& build, stepping_context& context) {
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

/// Whether `order` includes `way`.
[[nodiscard]] constexpr bool is_asked_for(teardown order, teardown way) noexcept {
  return order == way || order == teardown::every ||
         (order == teardown::both && way != teardown::components_first_then_run);
}

/// Runs the remaining steps after the components were destroyed.
void run_on(stepping_context& context, std::size_t limit);

/// Runs steps; false if the scenario ended before.
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

/// One run; false if the scenario ended before the cut.
template <class Build>
bool run_cut_off(Build& build, std::size_t after, teardown way, const cut_off_options& options) {
  using scenario = std::invoke_result_t<Build&, stepping_context&>;
  std::optional<stepping_context> context;
  if (options.shuffle) {
    context.emplace(*options.shuffle);
  } else {
    context.emplace();
  }
  std::optional<running_scenario<scenario>> running(std::in_place, build, *context);
  const bool cut = do_steps(after, *context, *running);
  if (way == teardown::context_first) context.reset();
  running.reset();
  if (way == teardown::components_first_then_run) run_on(*context, options.limit);
  context.reset();
  return cut;
}

}  // namespace detail

/// `build(stepping_context&)` makes the components, starts their work and returns them as one
/// object, which may be immovable. Each run builds the scenario on a new context, does some steps,
/// and destroys everything: after 0 steps, after 1, and so on. The last run ends because no step is
/// left.
///
/// If the object, or the object that it points to, has a member `bool when_idle()`, that is called
/// when nothing is left to do. It may advance a clock. The result true counts as a step and
/// continues the scenario. Exceptions of a step are thrown.
///
/// Work that continues without the components must not refer to them: give coroutines and handlers
/// `std::shared_ptr`s. If the scenario's own coroutines cannot do that, use `{.order =
/// teardown::both}`.
///
///     struct scenario {
///       explicit scenario(stepping_context& context)
///           : consumer(context.get_executor()), sent(context.spawn(consumer.send(order{1}))) {}
///       msgbus::async::consumer consumer;
///       spawned<msgbus::receipt> sent;
///     };
///     cut_off_at_every_step([](stepping_context& context) { return scenario(context); });
///
/// Throws: `std::runtime_error` if the scenario exceeds the limit, or is not deterministic.
template <class Build>
  requires std::invocable<Build&, stepping_context&>
cut_off_report cut_off_at_every_step(Build build, const cut_off_options& options = {}) {
  cut_off_report report;
  for (std::size_t after = 0;; ++after) {
    if (after > options.limit) {
      throw std::runtime_error("msgbus: the scenario has not ended after " +
                               std::to_string(options.limit) +
                               " steps; raise cut_off_options::limit if it needs more");
    }
    std::size_t runs = 0, cut = 0;
    for (const teardown way : {teardown::context_first, teardown::components_first,
                               teardown::components_first_then_run}) {
      if (!detail::is_asked_for(options.order, way)) continue;
      ++runs;
      if (detail::run_cut_off(build, after, way, options)) ++cut;
    }
    if (cut != 0 && cut != runs) {
      throw std::runtime_error("msgbus: the scenario is not deterministic: it has " +
                               std::to_string(after) +
                               " steps or more in one run and fewer in another");
    }
    if (cut == 0) return report;
    // Torn down after this many steps; that may have been the end.
    report.cuts = after * runs;
    report.steps = after;
  }
}

}  // namespace msgbus::testing
