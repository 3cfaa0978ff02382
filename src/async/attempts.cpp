#include <msgbus/async/detail/attempts.hpp>

#include <msgbus/async/detail/core.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/branches.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/exec/timer.hpp>
#include <msgbus/policy/backoff.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <atomic>
#include <random>

namespace msgbus::async::detail {

namespace {

asio::awaitable<void> run(std::shared_ptr<attempt> mine, make_attempt make) {
  co_await make(*mine);
}

void tell(core& component, const msgbus::step& about, const failures& failed) {
  const snapshot::guard guard(component.routes().guarded());
  observer* const watcher = component.shared.watcher.get();
  if (!watcher) return;
  for (std::size_t i = 0; i < failed.size(); ++i) watcher->failed(about, failed[i]);
}

double random_part() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

error too_slow(const routing::entry& handler, const msgbus::policy& how) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(how.timeout).count();
  return error(errc::timed_out,
               handler.describe() + " was not done after " + std::to_string(ms) + " ms");
}

/// One attempt on the policy's executor, for no longer than its timeout.
asio::awaitable<void> run_elsewhere(std::shared_ptr<attempt> mine, const msgbus::policy& how,
                                    make_attempt make, const asio::any_io_executor& here) {
  const asio::any_io_executor& wanted = how.executor ? how.executor : mine->component->executor();
  const asio::any_io_executor on = exec::child_executor(here, wanted, true);
  auto together = std::make_shared<exec::branches>();
  together->start(on, run(mine, std::move(make)));
  auto timed_out = std::make_shared<std::atomic<bool>>(false);
  exec::timer clock(on);
  if (how.timeout != how.timeout.zero()) {
    clock.start(how.timeout, [together, timed_out] {
      *timed_out = true;
      together->cancel(asio::cancellation_type::terminal);
    });
  }
  co_await together->join();
  if (const std::exception_ptr failure = together->failure(0)) mine->failed.add_new(failure);
  if (*timed_out && !mine->failed.empty()) {
    failures instead;
    instead.add(std::make_exception_ptr(too_slow(*mine->handler.get(), how)));
    // What it was told to throw is said; what clean-ups threw on the way out is not (I3).
    for (std::size_t i = 1; i < mine->failed.size(); ++i) {
      if (!exec::is_aborted(mine->failed[i])) instead.add(mine->failed[i]);
    }
    mine->failed = std::move(instead);
  }
}

}  // namespace

di::injection attempt::injection() const noexcept {
  return {component->shared.overrides_state, known, {handler.get(), &component::describe_entry}};
}

asio::awaitable<void> run_attempts(std::shared_ptr<core> component, routing::entry& handler,
                                   std::shared_ptr<const void> message, msgbus::context known,
                                   std::string_view message_name, const msgbus::policy& how,
                                   make_attempt make, failures& failed) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  for (std::size_t n = 1;; ++n) {
    auto mine = std::make_shared<attempt>();
    mine->component = component;
    mine->handler = routing::pinned(handler);
    mine->message = message;
    mine->known = msgbus::context(known.topic(), known.message_id(),
                                  known.attempt() + static_cast<unsigned>(n) - 1, &known.headers());
    std::exception_ptr thrown;
    try {
      if (how.executor || how.timeout != how.timeout.zero()) {
        co_await run_elsewhere(mine, how, make, here);
      } else {
        co_await make(*mine);
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) mine->failed.add_new(thrown);
    if (mine->failed.empty()) co_return;
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool cancelled = state.cancelled() != asio::cancellation_type::none;
    if (n >= how.retry.attempts || cancelled) {
      failed.take(mine->failed);
      co_return;
    }
    const msgbus::step about{message_name, known.topic()};
    tell(*component, about, mine->failed);
    std::exception_ptr aborted;
    try {
      co_await exec::sleep(backoff_before(n + 1, how.retry, random_part()));
    } catch (...) {
      aborted = std::current_exception();
    }
    if (aborted) {
      failed.take(mine->failed);
      co_return;
    }
  }
}

}  // namespace msgbus::async::detail
