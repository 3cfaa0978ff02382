#pragma once

/// An executor that runs one function at a time, on demand: asynchronous code becomes a sequence of
/// steps that is the same in every run. Posting is thread-safe; everything else is for one thread,
/// the test's.

#include <msgbus/testing/spawned.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/execution.hpp>
#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::testing {

namespace detail {

/// A posted function.
class posted {
 public:
  virtual ~posted() = default;
  virtual void run() = 0;
};

template <class F>
class posted_as final : public posted {
 public:
  template <class G>
  explicit posted_as(G&& f) : f_(std::forward<G>(f)) {}
  void run() override { std::move(f_)(); }

 private:
  F f_;
};

/// The steps of one context. It is a service of the context, so steps are destroyed before the
/// objects that they refer to.
class step_queue;

void push(step_queue& queue, std::unique_ptr<posted> added);
[[nodiscard]] bool is_stepping_here(const step_queue& queue) noexcept;
[[nodiscard]] asio::io_context& context_of(const step_queue& queue) noexcept;

}  // namespace detail

/// The Asio executor of a `stepping_context`. As with Asio's own executors, a function that is
/// dispatched inside a step runs in that step; a posted function is a step of its own.
class stepping_executor {
 public:
  /// Made by the context.
  explicit stepping_executor(detail::step_queue& queue) noexcept : queue_(&queue) {}

  // The requirements of Asio for an executor.

  /// Runs the function in the current step if that is allowed, or else posts it.
  template <class F>
  void execute(F&& f) const {
    if (!never_blocks_ && detail::is_stepping_here(*queue_)) {
      std::decay_t<F> here(std::forward<F>(f));
      std::move(here)();
    } else {
      detail::push(*queue_,
                   std::make_unique<detail::posted_as<std::decay_t<F>>>(std::forward<F>(f)));
    }
  }
  /// The underlying context.
  [[nodiscard]] asio::io_context& query(asio::execution::context_t) const noexcept {
    return detail::context_of(*queue_);
  }
  /// Whether `execute` may run a function inside the call.
  [[nodiscard]] asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
    if (never_blocks_) return asio::execution::blocking.never;
    return asio::execution::blocking.possibly;
  }
  /// Functions run on the thread that runs the steps.
  [[nodiscard]] static constexpr asio::execution::mapping_t query(
      asio::execution::mapping_t) noexcept {
    return asio::execution::mapping.thread;
  }
  /// The same executor, which always posts.
  [[nodiscard]] stepping_executor require(asio::execution::blocking_t::never_t) const noexcept {
    return {*queue_, true};
  }
  /// The same executor, which may run a function inside the call.
  [[nodiscard]] stepping_executor require(asio::execution::blocking_t::possibly_t) const noexcept {
    return {*queue_, false};
  }
  friend bool operator==(const stepping_executor& a, const stepping_executor& b) noexcept {
    return a.queue_ == b.queue_ && a.never_blocks_ == b.never_blocks_;
  }
  friend bool operator!=(const stepping_executor& a, const stepping_executor& b) noexcept {
    return !(a == b);
  }

 private:
  stepping_executor(detail::step_queue& queue, bool never_blocks) noexcept
      : queue_(&queue), never_blocks_(never_blocks) {}

  detail::step_queue* queue_;
  bool never_blocks_ = false;
};

/// Runs steps in a random order, which the seed determines, instead of the order of posting. Work
/// of a strand stays in order.
struct shuffled {
  std::uint64_t seed;  ///< the same seed gives the same order
};
std::ostream& operator<<(std::ostream& out, const shuffled& value);

/// Runs steps: functions that were posted to its executor, and completions of Asio's timers and
/// sockets. A strand runs all its pending work as one step.
///
/// It waits for time to pass only where a time limit is given: real timers that have expired are
/// steps, others are not. With a `manual_clock`, the library's timers need no waiting.
///
/// The destructor destroys the pending work, as that of an `io_context` (A12).
class stepping_context {
 public:
  /// The type of the executor, as Asio names it.
  using executor_type = stepping_executor;

  /// Runs steps in the order of posting.
  stepping_context();

  /// Runs steps in a random order.
  explicit stepping_context(shuffled order);
  stepping_context(const stepping_context&) = delete;
  stepping_context& operator=(const stepping_context&) = delete;
  ~stepping_context();

  /// The executor, for the components under test.
  [[nodiscard]] executor_type get_executor() noexcept { return executor_type(*queue_); }

  /// The underlying context, for its services, such as a clock.
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

  /// The context itself, so that Asio and this library take it as an execution context.
  // NOLINTNEXTLINE(google-explicit-constructor): as Asio's contexts convert
  operator asio::execution_context&() noexcept { return context_; }

  /// The number of steps that could run now.
  [[nodiscard]] std::size_t pending();

  /// Runs one step; false if there is none. Exceptions of the step are thrown. Not callable inside
  /// a step.
  bool step();

  /// Runs steps until none is left, and returns their number.
  std::size_t run();

  /// Runs steps until the predicate holds; checks it before each step. False if no step is left
  /// before.
  bool run_until(const std::function<bool()>& holds);

  /// As above; when no step is left, waits for posts of other threads and for real timers. False on
  /// timeout.
  bool run_until(const std::function<bool()>& holds, std::chrono::steady_clock::duration within);

  /// Starts an awaitable, without a step.
  template <class T>
  [[nodiscard]] spawned<T> spawn(asio::awaitable<T> operation) {
    return spawned<T>(get_executor(), std::move(operation));
  }

  /// Runs steps until the awaitable has ended. Returns its result or throws its exception.
  ///
  /// Throws: `stuck` if no step is left and the awaitable has not ended.
  template <class T>
  T run(asio::awaitable<T> operation) {
    spawned<T> running = spawn(std::move(operation));
    run_until([&] { return running.done(); });
    if (!running.done()) throw_stuck();
    return running.get();
  }

  /// As above, for a function that returns the awaitable; a lambda stays alive meanwhile.
  template <class F>
    requires is_awaitable<std::invoke_result_t<F&>>
  auto run(F work) {
    return run(work());
  }

 private:
  [[noreturn]] void throw_stuck();

  asio::io_context context_;
  detail::step_queue* queue_;
};

}  // namespace msgbus::testing
