#pragma once

/// The times of a component, as long as somebody wants them.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/observe/handling_times.hpp>

#include <memory>
#include <utility>

namespace msgbus::async::detail {

/// Measures as long as it exists. May outlive the component.
class measured_times {
 public:
  measured_times(std::weak_ptr<component_core> of, std::shared_ptr<handling_times> times) noexcept
      : of_(std::move(of)), times_(std::move(times)) {}
  measured_times(const measured_times&) = delete;
  measured_times& operator=(const measured_times&) = delete;
  ~measured_times() {
    if (const auto there = of_.lock()) there->stop_measuring(times_);
  }

  [[nodiscard]] handling_times& times() const noexcept { return *times_; }

 private:
  const std::weak_ptr<component_core> of_;
  const std::shared_ptr<handling_times> times_;
};

}  // namespace msgbus::async::detail
