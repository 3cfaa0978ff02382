#pragma once

/// The state machine of a host, which decides the next step. Pure; not thread-safe.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace msgbus::async::detail {

/// idle -> serving -> intake of each member -> draining of each member -> done; see
/// docs/design/0026-host.md. The time is a parameter.
class host_machine {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  enum class act { wait, end_intake, drain, finish };
  struct step {
    act action = act::wait;
    std::size_t member = 0;
    duration left = {};  // of the deadline
  };

  /// False if it has begun before.
  [[nodiscard]] bool begin(duration deadline) noexcept;

  /// Whether members may still be added.
  [[nodiscard]] bool accepts() const noexcept { return !ending_ && phase_ != phase::done; }

  /// From now on, `next` returns steps that end the members.
  void stop() noexcept { stopped_ = true; }
  /// As `stop`, without time for any member.
  void hurry() noexcept { stopped_ = hurried_ = true; }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool has_begun() const noexcept { return phase_ != phase::idle; }
  [[nodiscard]] bool is_done() const noexcept { return phase_ == phase::done; }
  [[nodiscard]] bool hurried() const noexcept { return hurried_; }

  /// The next step, for so many members. The deadline begins with the first step after the stop.
  [[nodiscard]] step next(time_point now, std::size_t members) noexcept;

  /// The step has ended. A step that `stop_now` interrupted is repeated.
  void ended(bool interrupted) noexcept {
    if (!interrupted) ++at_;
  }

  /// No step follows: the wait was cancelled.
  void give_up() noexcept { phase_ = phase::done; }

  /// The time since the stop was seen.
  [[nodiscard]] duration took(time_point now) const noexcept {
    return began_ending_ ? now - *began_ending_ : duration::zero();
  }

 private:
  enum class phase { idle, serving, intake, draining, done };

  phase phase_ = phase::idle;
  bool stopped_ = false;
  bool hurried_ = false;
  bool ending_ = false;
  std::size_t at_ = 0;
  duration deadline_ = {};
  std::optional<time_point> began_ending_ = {};
};

}  // namespace msgbus::async::detail
