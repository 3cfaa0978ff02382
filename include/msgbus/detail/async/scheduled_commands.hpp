#pragma once

/// The commands of recurring schedules of services.

#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/detail/async/service_core.hpp>

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace msgbus::async::detail {

template <class T>
inline constexpr bool is_tuple = false;
template <class... Ts>
inline constexpr bool is_tuple<std::tuple<Ts...>> = true;

/// Makes a command from the result of `make`: one argument, or a tuple of all.
template <class F>
[[nodiscard]] occurrence_maker command_maker(const std::shared_ptr<service_core>& in,
                                             std::string name, F make) {
  static_assert(makes_events<F>,
                "msgbus: every() of a service needs a function that returns the argument, or a "
                "std::tuple of the arguments");
  if constexpr (makes_events<F>) {
    // Weak: the service owns the schedule.
    auto command = [in = std::weak_ptr(in), name](auto&&... given) {
      return scheduled_command(make_command<void, std::decay_t<decltype(given)>...>(
          in.lock(), name, std::forward<decltype(given)>(given)...));
    };
    return {[make = std::move(make), command]() mutable {
              auto given = make();
              if constexpr (is_tuple<decltype(given)>) {
                return std::apply(command, std::move(given));
              } else {
                return command(std::move(given));
              }
            },
            std::move(name)};
  }
}

}  // namespace msgbus::async::detail
