#include <msgbus/detail/exec/clock.hpp>

#include <asio/execution/context.hpp>
#include <asio/query.hpp>

#include <atomic>
#include <ctime>
#include <mutex>
#include <utility>

namespace msgbus::exec {

namespace {

// Whether any context was ever given a clock: without one, no look-up is needed. Relaxed: a program
// that installs a clock synchronises with its other threads when it starts their work.
constinit std::atomic<bool> ever_installed{false};

class clock_service : public asio::execution_context::service {
 public:
  using key_type = clock_service;
  static inline asio::execution_context::id id;

  explicit clock_service(asio::execution_context& context)
      : asio::execution_context::service(context) {}

  std::shared_ptr<clock> get() {
    const std::lock_guard lock(mutex_);
    return clock_;
  }

  void set(std::shared_ptr<clock> installed) {
    const std::lock_guard lock(mutex_);
    clock_.swap(installed);
  }

 private:
  void shutdown() override { set(nullptr); }

  std::mutex mutex_;
  std::shared_ptr<clock> clock_;
};

}  // namespace

void install_clock(asio::execution_context& context, std::shared_ptr<clock> installed) {
  ever_installed.store(true, std::memory_order_relaxed);
  asio::use_service<clock_service>(context).set(std::move(installed));
}

std::shared_ptr<clock> installed_clock(const asio::any_io_executor& executor) {
  if (!executor || !ever_installed.load(std::memory_order_relaxed)) return nullptr;
  auto& context = asio::query(executor, asio::execution::context);
  return asio::use_service<clock_service>(context).get();
}

clock::time_point now(const asio::any_io_executor& executor) {
  if (!ever_installed.load(std::memory_order_relaxed)) return std::chrono::steady_clock::now();
  const std::shared_ptr<clock> installed = installed_clock(executor);
  return installed ? installed->now() : std::chrono::steady_clock::now();
}

clock::time_point rough_now(const asio::any_io_executor& executor) {
#if defined(CLOCK_MONOTONIC_COARSE)
  // The steady clock of Linux is CLOCK_MONOTONIC.
  timespec at{};
  if (!ever_installed.load(std::memory_order_relaxed) &&
      ::clock_gettime(CLOCK_MONOTONIC_COARSE, &at) == 0) {
    return clock::time_point(std::chrono::seconds(at.tv_sec) +
                             std::chrono::nanoseconds(at.tv_nsec));
  }
#endif
  return now(executor);
}

}  // namespace msgbus::exec
