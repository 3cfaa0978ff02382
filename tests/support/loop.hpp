#pragma once

// Sinks that keep their messages, and a loop that runs coroutines against real servers.

#include <msgbus/testing/spawned.hpp>
#include <msgbus/transport/transport.hpp>

#include "support/thread_group.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace msgbus_test {

/// Runs coroutines on the test's thread, until they end or the deadline has passed.
class loop {
 public:
  template <class T>
  T run(asio::awaitable<T> what) {
    auto running = start(std::move(what));
    finish(running);
    return running.get();
  }
  template <class T>
  msgbus::testing::spawned<T> start(asio::awaitable<T> what) {
    return msgbus::testing::spawned<T>(*context_, std::move(what));
  }
  template <class T>
  void finish(const msgbus::testing::spawned<T>& running) {
    run_until([&] { return running.done(); });
  }
  /// Checks the condition after each handler of the context.
  template <class Done>
  void run_until(Done done) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (!done()) {
      if (context_->run_one_until(until) == 0) throw std::runtime_error("waited too long");
    }
  }
  void poll() { context_->poll(); }

  [[nodiscard]] asio::any_io_executor executor() const { return context_->get_executor(); }

  /// Destroys the context with its pending coroutines.
  void destroy() {
    work_.reset();
    context_.reset();
  }

 private:
  std::unique_ptr<asio::io_context> context_ = std::make_unique<asio::io_context>();
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      asio::make_work_guard(*context_)};
};

/// Blocks the thread, as a slow plain handler does.
inline void block_thread(std::chrono::steady_clock::duration how_long) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, how_long, [] { return false; });
}

/// A list that one thread fills and another one waits for.
template <class T>
class kept {
 public:
  void add(T&& what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(what));
    changed_.notify_all();
  }
  /// Waits until there are `count` values, and takes all out.
  std::vector<T> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, deadline, [&] { return all_.size() >= count; })) {
      throw std::runtime_error("waited too long: " + std::to_string(all_.size()) + " of " +
                               std::to_string(count));
    }
    return std::exchange(all_, {});
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> all_;
};

/// Accepts every message.
class collector final : public msgbus::transport::sink {
 public:
  bool take(msgbus::envelope&& message, bool) noexcept override {
    got.add(std::move(message));
    return true;
  }
  kept<msgbus::envelope> got;
};

/// Keeps deliveries, and the reason for the end of the source.
class delivery_collector final : public msgbus::transport::delivery_sink {
 public:
  using owned = std::unique_ptr<msgbus::transport::delivery>;
  void take(owned received) noexcept override { got.add(std::move(received)); }
  void ended(std::exception_ptr why) noexcept override { ends.add(std::move(why)); }

  kept<owned> got;
  kept<std::exception_ptr> ends;
};

inline std::vector<std::string> payloads_of(const std::vector<msgbus::envelope>& all) {
  std::vector<std::string> result;
  for (const auto& each : all) result.push_back(each.payload);
  return result;
}

}  // namespace msgbus_test
