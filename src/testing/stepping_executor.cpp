#include <msgbus/testing/stepping_executor.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/testing/cut_off.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

namespace msgbus::testing {

namespace detail {

class step_queue final : public asio::execution_context::service {
 public:
  using key_type = step_queue;
  static inline asio::execution_context::id id;

  step_queue(asio::execution_context& context, std::optional<shuffled> order)
      : asio::execution_context::service(context),
        context_(static_cast<asio::io_context&>(context)) {
    if (order) random_.emplace(order->seed);
  }

  [[nodiscard]] asio::io_context& context() const noexcept { return context_; }

  void push(std::unique_ptr<posted> added) {
    const std::lock_guard lock(mutex_);
    if (over_) return;  // a function posted during shutdown is destroyed
    steps_.push_back(std::move(added));
    if (waiting_) asio::post(context_, [] {});
  }

  [[nodiscard]] bool runs_here() const noexcept {
    return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  [[nodiscard]] std::size_t size() {
    poll();
    const std::lock_guard lock(mutex_);
    return steps_.size();
  }

  bool run_one() {
    if (runs_here()) throw std::logic_error("msgbus: a step cannot do steps");
    poll();
    std::unique_ptr<posted> next = take();
    if (!next) return false;
    const running mark(runner_);
    next->run();
    next.reset();
    ++done_;
    return true;
  }

  /// Waits until there may be a step, or until the time.
  void wait(std::chrono::steady_clock::time_point until) {
    {
      const std::lock_guard lock(mutex_);
      if (!steps_.empty()) return;
      waiting_ = true;
    }
    {
      const auto work = asio::make_work_guard(context_);
      context_.restart();
      context_.run_one_until(until);
    }
    const std::lock_guard lock(mutex_);
    waiting_ = false;
  }

  [[nodiscard]] std::size_t done() const noexcept { return done_; }

 private:
  /// Marks this thread as the one that runs a step.
  class running {
   public:
    explicit running(std::atomic<std::thread::id>& runner) noexcept : runner_(runner) {
      runner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { runner_.store({}, std::memory_order_relaxed); }

   private:
    std::atomic<std::thread::id>& runner_;
  };

  // Makes steps of Asio's completed operations.
  void poll() {
    context_.restart();
    context_.poll();
  }

  std::unique_ptr<posted> take() {
    const std::lock_guard lock(mutex_);
    if (steps_.empty()) return nullptr;
    // Not a standard distribution: its results differ between standard libraries.
    const auto at = random_ ? static_cast<std::ptrdiff_t>((*random_)() % steps_.size()) : 0;
    std::unique_ptr<posted> taken = std::move(steps_[static_cast<std::size_t>(at)]);
    steps_.erase(steps_.begin() + at);
    return taken;
  }

  // Called after the shutdown of services that were made later, and before that of the scheduler.
  // The destruction of a step may post further steps, which destroy their owners.
  void shutdown() override {
    for (;;) {
      std::deque<std::unique_ptr<posted>> last;
      {
        const std::lock_guard lock(mutex_);
        if (steps_.empty()) {
          over_ = true;
          return;
        }
        last.swap(steps_);
      }
    }
  }

  asio::io_context& context_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<posted>> steps_;  // under the lock, as are the next two
  bool waiting_ = false;
  bool over_ = false;
  std::atomic<std::thread::id> runner_{};
  std::optional<std::mt19937_64> random_;
  std::size_t done_ = 0;
};

void push(step_queue& queue, std::unique_ptr<posted> added) { queue.push(std::move(added)); }

bool is_stepping_here(const step_queue& queue) noexcept { return queue.runs_here(); }

asio::io_context& context_of(const step_queue& queue) noexcept { return queue.context(); }

void throw_not_done() {
  throw stuck(
      "msgbus: the spawned awaitable has not ended: it may need more steps, a clock that is "
      "advanced, an Asio timer, or another context or thread");
}

}  // namespace detail

namespace {

detail::step_queue& make_queue(asio::io_context& in, std::optional<shuffled> order) {
  return asio::make_service<detail::step_queue>(in, order);
}

}  // namespace

stepping_context::stepping_context() : queue_(&make_queue(context_, std::nullopt)) {}

stepping_context::stepping_context(shuffled order) : queue_(&make_queue(context_, order)) {}

stepping_context::~stepping_context() = default;

std::size_t stepping_context::pending() { return queue_->size(); }

bool stepping_context::step() { return queue_->run_one(); }

std::size_t stepping_context::run() {
  std::size_t done = 0;
  while (step()) ++done;
  return done;
}

bool stepping_context::run_until(const std::function<bool()>& holds) {
  while (!holds()) {
    if (!step()) return holds();
  }
  return true;
}

bool stepping_context::run_until(const std::function<bool()>& holds,
                                 std::chrono::steady_clock::duration within) {
  const auto until = detail::saturating_add(std::chrono::steady_clock::now(), within);
  while (!run_until(holds)) {
    if (std::chrono::steady_clock::now() >= until) return false;
    queue_->wait(until);
  }
  return true;
}

void stepping_context::throw_stuck() {
  // Asio stops a polled context that has no work, such as a pending timer.
  (void)queue_->size();
  const char* const why =
      context_.stopped()
          ? "No timer and no other operation of Asio is pending in this context: it waits for "
            "another context, for another thread, or for an event that never happens."
          : "A timer or another operation of Asio is pending in this context: advance a "
            "manual_clock, or give run_until a time limit for Asio's own timers and sockets.";
  throw stuck("msgbus: the awaitable is stuck: after " + std::to_string(queue_->done()) +
              " steps nothing is left to do, and it has not ended. " + why);
}

}  // namespace msgbus::testing

namespace msgbus::testing::detail {

void run_on(stepping_context& context, std::size_t limit) {
  for (std::size_t done = 0; context.step(); ++done) {
    if (done == limit) {
      throw std::runtime_error("msgbus: the components were destroyed, but work remains after " +
                               std::to_string(limit) + " more steps");
    }
  }
}

}  // namespace msgbus::testing::detail
