// A call of a remote service according to its policy: attempt by attempt, through its breaker.

#include <msgbus/detail/bridge/call.hpp>

#include <msgbus/bridge/call_policy.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/error.hpp>

#include "async/policy_waits.hpp"
#include "policy/backoff.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <optional>

namespace msgbus::bridging {

namespace {

using async::detail::breaker_call;
using exec_time = exec::clock::time_point;

exec_time end_of_all(const call_policy& by, const asio::any_io_executor& here) {
  const exec_time outer = exec::deadline_on(here);
  if (by.deadline == by.deadline.zero()) return outer;
  return std::min(outer, detail::saturating_add(exec::now(here), by.deadline));
}

/// Whether it does no harm to send the request once more: it was not executed, or is idempotent.
bool may_repeat(const call_policy& by, const call& of, bool was_sent,
                const std::exception_ptr& failure) {
  if (!was_sent || (by.idempotent && by.idempotent(of.operation()))) return true;
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    return e.code() == errc::no_handler;
  } catch (...) {
    return false;
  }
}

}  // namespace

asio::awaitable<envelope> call_by_policy(call first) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const std::shared_ptr<const call_policy> by = first.policy();
  const exec_time until = end_of_all(*by, here);
  for (std::size_t made = 1;; ++made) {
    breaker_call through;
    if (by->breaker && !through.try_begin(by->breaker, exec::now(here))) {
      co_await through.begin(by->breaker, false, until);
    }
    failures failed;
    std::optional<envelope> answer;
    bool was_sent = false;
    call asked = first.again(until);
    try {
      asked.start(here);
      was_sent = true;
      co_await asked.wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      answer = std::move(asked.take(state));
    } catch (...) {
      failed.add(std::current_exception());
    }
    if (by->breaker) {
      through.end(breaker_access::verdict_on(*by->breaker, failed), exec::now(here));
    }
    if (answer) co_return std::move(*answer);
    const bool again = made < by->retry.attempts && may_repeat(*by, first, was_sent, failed[0]) &&
                       detail::wants_another(made, by->retry, failed);
    if (!again) failed.throw_any();
    const auto pause = detail::pause_before(made + 1, by->retry, failed, detail::random_part());
    if (detail::saturating_add(exec::now(here), pause) >= until) failed.throw_any();
    co_await exec::sleep(pause);
  }
}

}  // namespace msgbus::bridging
