#pragma once

/// The outside of a server process: its threads, and the signal that ends it.

#include <asio.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace exchange {

/// Completes at Ctrl-C, or when the process is asked to end. The next such signal ends it at once.
inline asio::awaitable<void> until_signal() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
  const int which = co_await signals.async_wait(asio::use_awaitable);
  std::printf("signal %d: accepting nobody new, finishing what was accepted\n", which);
  std::fflush(stdout);
}

/// Returns when there is nothing left to do.
inline void run_with(asio::io_context& io, int threads) {
  std::vector<std::jthread> helpers;
  for (int each = 1; each < threads; ++each) helpers.emplace_back([&] { io.run(); });
  io.run();
}

template <class T>
asio::awaitable<void> keep_result(asio::awaitable<T> work, std::optional<T>& to) {
  to.emplace(co_await std::move(work));
}

/// Runs the context until the work is done, for what comes before the threads begin.
template <class T>
T run_until_done(asio::io_context& io, asio::awaitable<T> work) {
  using kept = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  std::optional<kept> result;
  std::exception_ptr failed;
  bool done = false;
  const auto end = [&](const std::exception_ptr& error) {
    failed = error;
    done = true;
  };
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(io, std::move(work), end);
  } else {
    asio::co_spawn(io, keep_result<T>(std::move(work), result), end);
  }
  io.restart();
  while (!done && io.run_one() != 0) {
  }
  if (failed) std::rethrow_exception(failed);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// What ends the program if it goes wrong.
class essential_parts {
 public:
  explicit essential_parts(asio::io_context& io) : io_(io) {}

  void spawn(const asio::any_io_executor& executor, asio::awaitable<void> part) {
    asio::co_spawn(executor, std::move(part), [this](const std::exception_ptr& error) {
      if (!error) return;
      failed_ = error;
      io_.stop();
    });
  }

  void rethrow() const {
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  asio::io_context& io_;
  std::exception_ptr failed_;
};

[[nodiscard]] inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace exchange
