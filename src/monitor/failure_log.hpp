#pragma once

/// The last failures of a program, for its monitor.

#include <msgbus/detail/observe/failure_recorder.hpp>

#include "monitor/reading.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace msgbus::monitoring {

/// Keeps the last hundred. Where more than a few hundred come between two calls of
/// `begin_interval`, the rest is only counted: a program that fails a million times a second is not
/// slowed down by texts that nobody reads. Thread-safe.
class failure_log final : public msgbus::detail::failure_recorder {
 public:
  static constexpr std::size_t kept = 100;
  static constexpr std::int64_t noted_in_interval = 300;
  static constexpr std::size_t longest_text = 1000;  // in bytes
  static constexpr std::size_t most_unrouted = 1000;

  void failed(const step& message, const routing::entry* handler, const std::exception_ptr& why,
              bool repeated) noexcept override;
  void unrouted(const step& message) noexcept override;
  /// Of something that is no component.
  void note(std::string_view source, const std::exception_ptr& why) noexcept;

  void begin_interval() noexcept { budget_.store(noted_in_interval, std::memory_order_relaxed); }

  /// The newest first.
  [[nodiscard]] std::vector<failure_entry> last() const;
  [[nodiscard]] std::optional<failure_entry> last_of(const std::string& component) const;
  /// The messages that had no handler since then.
  [[nodiscard]] std::vector<std::string> unrouted_since(const std::string& component,
                                                        double time) const;

 private:
  [[nodiscard]] bool has_budget() noexcept;
  void add(failure_entry made);

  std::atomic<std::int64_t> budget_{noted_in_interval};
  std::atomic<std::uint64_t> left_out_{0};
  mutable std::mutex mutex_;
  // Under the mutex.
  std::uint64_t last_id_ = 0;
  std::deque<failure_entry> entries_;
  std::map<std::string, failure_entry> by_component_;
  std::map<std::pair<std::string, std::string>, double> unrouted_;  // component and message
};

/// Seconds since 1970.
[[nodiscard]] double wall_time() noexcept;

}  // namespace msgbus::monitoring
