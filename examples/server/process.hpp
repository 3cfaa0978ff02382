#pragma once

/// The outside of a server process: its threads, and the signal that ends it.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace exchange {

/// Completes at Ctrl-C, or when the process is asked to end. The next such signal ends it at once.
asio::awaitable<void> until_signal();

/// An executor that runs one thing after the other: where one thread runs the context the context's
/// own, so that nothing has to be handed over, and otherwise a new strand.
[[nodiscard]] asio::any_io_executor serial_executor(asio::io_context& io, int threads);

/// Returns when there is nothing left to do.
void run_with(asio::io_context& io, int threads);

/// Runs the context until the work is done, for what comes before the threads begin.
void run_until_done(asio::io_context& io, asio::awaitable<void> work);

template <class T>
asio::awaitable<void> keep_result(asio::awaitable<T> work, std::optional<T>& to) {
  to.emplace(co_await std::move(work));
}

template <class T>
T run_until_done(asio::io_context& io, asio::awaitable<T> work) {
  std::optional<T> result;
  run_until_done(io, keep_result<T>(std::move(work), result));
  return std::move(*result);
}

/// What ends the program if it goes wrong.
class critical_tasks {
 public:
  explicit critical_tasks(asio::io_context& io) : io_(io) {}

  void spawn(const asio::any_io_executor& executor, asio::awaitable<void> part);

  void rethrow() const {
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  asio::io_context& io_;
  std::exception_ptr failed_;
};

/// Of this process, in KiB; 0 where the system does not tell.
[[nodiscard]] std::int64_t memory_in_use();

[[nodiscard]] inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace exchange
