#pragma once

/// An executor that does one thing at a time, when told to: asynchronous code as a sequence of
/// steps that is the same in every run. Posting is thread-safe; everything else is for one thread,
/// the test's.

#include <msgbus/testing/spawned.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/execution.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::testing {

namespace detail {

/// Something posted.
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

/// The steps of one context. It is a service of the context, so that steps are destroyed while
/// what they refer to is still there.
class step_queue;

void push(step_queue& queue, std::unique_ptr<posted> added);
[[nodiscard]] bool is_stepping_here(const step_queue& queue) noexcept;
[[nodiscard]] asio::io_context& context_of(const step_queue& queue) noexcept;

}  // namespace detail

/// An Asio executor of a `stepping_context`. As with Asio's own, what is dispatched from inside a
/// step runs in that step, and what is posted is a step of its own.
class stepping_executor {
 public:
  explicit stepping_executor(detail::step_queue& queue) noexcept : queue_(&queue) {}

  // What Asio asks of an executor.
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
  [[nodiscard]] asio::io_context& query(asio::execution::context_t) const noexcept {
    return detail::context_of(*queue_);
  }
  [[nodiscard]] asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
    if (never_blocks_) return asio::execution::blocking.never;
    return asio::execution::blocking.possibly;
  }
  [[nodiscard]] static constexpr asio::execution::mapping_t query(
      asio::execution::mapping_t) noexcept {
    return asio::execution::mapping.thread;
  }
  [[nodiscard]] stepping_executor require(asio::execution::blocking_t::never_t) const noexcept {
    return {*queue_, true};
  }
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

/// Steps are done in an order drawn from the seed, instead of first come first served. What must be
/// in order whatever the executor does, as a strand's work, still is.
struct shuffled {
  std::uint64_t seed;
};

/// Runs steps: what is posted to its executor, and what Asio's timers and sockets complete there. A
/// strand runs all that waits in it as one step.
///
/// It never waits for time to pass, except where a time is given: real timers that have expired are
/// steps, others are not. With a `manual_clock` the library's timers need no waiting either.
///
/// Destroying it destroys what is pending, as with an `io_context` (A12).
class stepping_context {
 public:
  using executor_type = stepping_executor;

  /// First come, first served.
  stepping_context();
  explicit stepping_context(shuffled order);
  stepping_context(const stepping_context&) = delete;
  stepping_context& operator=(const stepping_context&) = delete;
  ~stepping_context();

  [[nodiscard]] executor_type get_executor() noexcept { return executor_type(*queue_); }

  /// Where services are, a clock for instance.
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

  /// How many steps could be done now.
  [[nodiscard]] std::size_t pending();

  /// Does one step; false if there is none. What the step throws is thrown. Not from inside a step.
  bool step();

  /// Does steps until nothing is left, and returns how many.
  std::size_t run();

  /// Does steps until the predicate holds, which is looked at before each step. False if nothing is
  /// left and it does not hold.
  bool run_until(const std::function<bool()>& holds);

  /// The same, but where nothing is left waits for what other threads post and for real timers.
  /// False if the predicate does not hold in time.
  bool run_until(const std::function<bool()>& holds, std::chrono::steady_clock::duration within);

  /// Starts an awaitable, and does no step.
  template <class T>
  [[nodiscard]] spawned<T> spawn(asio::awaitable<T> what) {
    return spawned<T>(get_executor(), std::move(what));
  }

  /// Does steps until the awaitable has ended, and gives its result or throws what it threw. Throws
  /// `stuck` if nothing is left to do and it has not ended.
  template <class T>
  T run(asio::awaitable<T> what) {
    spawned<T> running = spawn(std::move(what));
    run_until([&] { return running.done(); });
    if (!running.done()) throw_stuck();
    return running.get();
  }

  /// The same, for a function that makes the awaitable: a lambda stays alive while it runs.
  template <class F>
    requires is_awaitable<std::invoke_result_t<F&>>
  auto run(F what) {
    return run(what());
  }

 private:
  [[noreturn]] void throw_stuck();

  asio::io_context context_;
  detail::step_queue* queue_;
};

}  // namespace msgbus::testing
