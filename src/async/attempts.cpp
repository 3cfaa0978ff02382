#include <msgbus/async/detail/attempts.hpp>

#include <msgbus/async/detail/core.hpp>
#include <msgbus/async/detail/offload.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/core/saturate.hpp>
#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/clock.hpp>
#include <msgbus/exec/mailbox_strand.hpp>
#include <msgbus/exec/timer.hpp>
#include <msgbus/policy/backoff.hpp>

#include "exec/task_group.hpp"

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <atomic>

namespace msgbus::async::detail {

namespace {

asio::awaitable<void> run(std::shared_ptr<attempt> mine, make_attempt make) {
  std::exception_ptr failure;
  try {
    co_await make(*mine);
  } catch (...) {
    failure = std::current_exception();
  }
  mine->ended = exec::now(co_await asio::this_coro::executor);
  if (failure) std::rethrow_exception(failure);
}

/// Whether the attempt took longer than it was given, also where the timer came too late to say so
/// since the handler had its thread.
bool has_overrun(const attempt& mine, const held_policy& policy, bool timer_says) {
  if (policy.timeout == policy.timeout.zero() || !mine.ended) return false;
  const auto took = *mine.ended - mine.begun;
  if (!timer_says && took <= policy.timeout) return false;
  mine.component->overran({mine.message_name, mine.ctx.topic()}, took);
  return true;
}

void notify(core& component, const msgbus::step& step, const failures& failed) {
  const snapshot::guard guard(component.routes().guarded());
  observer* const observer = component.shared.attached_observer.get();
  if (!observer) return;
  for (std::size_t i = 0; i < failed.size(); ++i) observer->failed(step, failed[i]);
}

error too_slow(const routing::entry& handler, const held_policy& policy) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(policy.timeout).count();
  return error(errc::timed_out,
               handler.describe() + " was not done after " + std::to_string(ms) + " ms");
}

/// What ends an attempt that takes too long.
class time_limit {
 public:
  time_limit(const asio::any_io_executor& on, std::shared_ptr<exec::task_group> limited)
      : clock_(on), limited_(std::move(limited)) {}

  void start(exec::clock::duration limit) {
    clock_.start(limit, [limited = limited_, passed = passed_] {
      *passed = true;
      limited->cancel(asio::cancellation_type::terminal);
    });
  }
  [[nodiscard]] bool passed() const noexcept { return *passed_; }

 private:
  exec::timer clock_;
  const std::shared_ptr<exec::task_group> limited_;
  const std::shared_ptr<std::atomic<bool>> passed_ = std::make_shared<std::atomic<bool>>(false);
};

/// The policy's executor; empty, and the attempt has failed, if its context has gone already.
asio::any_io_executor executor_for(attempt& mine, const held_policy& policy) {
  asio::any_io_executor wanted =
      policy.has_executor() ? policy.executor() : mine.component->executor();
  if (!wanted) {
    mine.failed.add(std::make_exception_ptr(
        error(errc::closed, mine.handler.get()->describe() +
                                " cannot run: the context of its executor has been destroyed")));
  }
  return wanted;
}

/// Starts the attempt on the policy's executor. Keeps nothing of that: it may go before the caller
/// goes on, and a strand must not outlive its context. Null, and the attempt has failed, if its
/// context has gone already.
std::unique_ptr<time_limit> start_elsewhere(const std::shared_ptr<exec::task_group>& together,
                                            const std::shared_ptr<attempt>& mine,
                                            const held_policy& policy, make_attempt make,
                                            const asio::any_io_executor& here) {
  const asio::any_io_executor wanted = executor_for(*mine, policy);
  if (!wanted) return nullptr;
  const asio::any_io_executor on = exec::child_executor(here, wanted, true);
  mine->begun = exec::now(on);
  if (policy.timeout != policy.timeout.zero()) {
    mine->ctx = mine->ctx.until(saturating_add(mine->begun, policy.timeout));
  }
  together->start(on, run(mine, std::move(make)));
  auto limit = std::make_unique<time_limit>(on, together);
  if (policy.timeout != policy.timeout.zero()) limit->start(policy.timeout);
  return limit;
}

/// One attempt on the policy's executor, for no longer than its timeout. False if there cannot be
/// another one, since the executor's context has gone. An attempt that the verb's cancellation has
/// ended was not too slow.
asio::awaitable<bool> run_elsewhere(std::shared_ptr<attempt> mine, const held_policy& policy,
                                    make_attempt make, const asio::any_io_executor& here) {
  auto together = std::make_shared<exec::task_group>();
  const auto limit = start_elsewhere(together, mine, policy, std::move(make), here);
  if (!limit) co_return false;
  co_await together->join();
  if (const std::exception_ptr failure = together->failure(0)) mine->failed.add_new(failure);
  const bool was_too_slow = has_overrun(*mine, policy, limit->passed());
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancelled = exec::is_cancel_requested(here, state);
  if ((was_too_slow || limit->passed()) && !cancelled && !mine->failed.empty()) {
    failures instead;
    instead.add(std::make_exception_ptr(too_slow(*mine->handler.get(), policy)));
    // What it was told to throw is said; what clean-ups threw on the way out is not (I3).
    for (std::size_t i = 1; i < mine->failed.size(); ++i) {
      if (!exec::is_aborted(mine->failed[i])) instead.add(mine->failed[i]);
    }
    mine->failed = std::move(instead);
  }
  co_return !together->has_lost_context(0);
}

/// The same for a plain function without a timeout: it is awaited by nothing there.
asio::awaitable<bool> run_at_once_elsewhere(std::shared_ptr<attempt> mine,
                                            const held_policy& policy, run_attempt at_once) {
  asio::any_io_executor wanted = executor_for(*mine, policy);
  if (!wanted) co_return false;
  std::function<void()> work = [mine, at_once = std::move(at_once)] { at_once(*mine); };
  auto running = offload(std::move(wanted), std::move(work));
  const offloaded ended = co_await std::move(running);
  if (ended.failure) mine->failed.add_new(ended.failure);
  co_return !ended.has_lost_context;
}

}  // namespace

di::injection attempt::injection() const noexcept {
  return {component->shared.overrides_state(), ctx, {handler.get(), &component::describe_entry}};
}

asio::awaitable<void> run_attempts(std::shared_ptr<core> component, routing::entry& handler,
                                   std::shared_ptr<const void> message, msgbus::context ctx,
                                   std::string_view message_name, const held_policy& policy,
                                   make_attempt make, failures& failed, run_attempt at_once) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  for (std::size_t n = 1;; ++n) {
    auto mine = std::make_shared<attempt>();
    mine->component = component;
    mine->handler = routing::entry_pin(handler);
    mine->message = message;
    mine->message_name = message_name;
    mine->ctx = ctx.repeated(static_cast<unsigned>(n) - 1);
    std::exception_ptr thrown;
    bool again = n < policy.retry.attempts;
    try {
      if (at_once && policy.has_executor() && policy.timeout == policy.timeout.zero()) {
        const bool possible = co_await run_at_once_elsewhere(mine, policy, at_once);
        again = again && possible;
      } else if (policy.has_executor() || policy.timeout != policy.timeout.zero()) {
        const bool possible = co_await run_elsewhere(mine, policy, make, here);
        again = again && possible;
      } else {
        co_await make(*mine);
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) mine->failed.add_new(thrown);
    if (mine->failed.empty()) co_return;
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool is_own = state.slot().is_connected();  // a coroutine that the library has spawned
    if (!again || exec::is_cancel_requested(here, state)) {
      failed.take(mine->failed);
      co_return;
    }
    // What the attempt did to its cancellation state was for itself alone.
    if (is_own) {
      co_await asio::this_coro::throw_if_cancelled(true);
      co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    }
    const msgbus::step step{message_name, ctx.topic()};
    notify(*component, step, mine->failed);
    bool aborted = false;
    try {
      co_await exec::sleep(backoff_before(n + 1, policy.retry, random_part()));
    } catch (...) {
      aborted = true;
    }
    const auto now = co_await asio::this_coro::cancellation_state;
    if (aborted || exec::is_cancel_requested(here, now)) {
      failed.take(mine->failed);
      co_return;
    }
  }
}

}  // namespace msgbus::async::detail
