#pragma once

/// Finds out whether an executor runs what is posted to it, and never waits for that.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>

#include "monitor/reading.hpp"

#include <asio/any_io_executor.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::monitoring {

/// At most one posted function at a time. It keeps nothing but its own answer. Thread-safe.
class executor_probe final : private exec::context_shutdown_hook {
 public:
  /// While the context of the executor cannot end.
  explicit executor_probe(const asio::any_io_executor& of);
  ~executor_probe() { unlink_and_release(executor_); }

  /// Of an executor that tracks no work.
  [[nodiscard]] bool is_of(const asio::any_io_executor& executor) const;
  /// Posts a function, unless one is under way.
  void ask(time_point now);
  /// How long the function is under way that was posted last; zero: it has run.
  [[nodiscard]] duration silent(time_point now) const;

 private:
  void context_ended() noexcept override;

  mutable std::mutex mutex_;
  // Under the mutex.
  asio::any_io_executor executor_;
  std::shared_ptr<std::atomic<bool>> answered_;  // null: none was posted
  time_point asked_ = {};
};

/// The probes of all executors of a program. For one thread.
class executor_probes {
 public:
  /// Once for each executor and pass, while its context cannot end.
  void see(const asio::any_io_executor& executor, const std::string& name);
  /// Ends a pass: probes of executors that were not seen in it go. Asks the others.
  /// -> those that have not answered for `at_least`, the longest first.
  [[nodiscard]] std::vector<silent_executor> ask(time_point now, duration at_least);

 private:
  struct kept_probe {
    std::unique_ptr<executor_probe> probe;
    std::string name;
    bool seen = true;
  };
  std::vector<kept_probe> all_;
};

}  // namespace msgbus::monitoring
