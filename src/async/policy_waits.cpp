#include "async/policy_waits.hpp"

#include <msgbus/any_event.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/detail/exec/wait_list.hpp>

#include "exec/consumer_loop.hpp"
#include "policy/limiter_access.hpp"

#include <asio/this_coro.hpp>

#include <mutex>

namespace msgbus::async::detail {

namespace {

/// The coroutines that wait for a change of an object: each checks again when it is woken.
class wait_line final : public waiters {
 public:
  void wake(std::size_t many) noexcept override {
    exec::wake_batch woken;
    const std::lock_guard lock(mutex_);
    list_.wake(many, woken);
  }
  [[nodiscard]] exec::wait_list& list() noexcept { return list_; }

 private:
  std::mutex mutex_;
  exec::wait_list list_{mutex_};
};

/// The coroutines that wait for a permit: the first one holds the turnstile, and watches the clock.
class turnstile final : public waiters {
 public:
  void wake(std::size_t) noexcept override {}
  exec::async_semaphore first{1};
};

/// A wait for a breaker's news.
struct breaker_news {
  const circuit_breaker& of;
  std::uint64_t seen;
  const asio::any_io_executor& here;

  static bool is_there(void* self, bool) {
    const auto& mine = *static_cast<breaker_news*>(self);
    return breaker_access::has_news(mine.of, mine.seen, exec::now(mine.here));
  }
};

/// A place in a rate limiter's line.
class line_ticket {
 public:
  explicit line_ticket(rate_limiter& of) noexcept : of_(&of) {}
  line_ticket(const line_ticket&) = delete;
  line_ticket& operator=(const line_ticket&) = delete;
  ~line_ticket() {
    if (of_) limiter_access::leave_line(*of_);
  }
  /// Zero if a permit was taken, and the place is given up with that.
  [[nodiscard]] exec::clock::duration take(exec_time now) {
    const auto wait = limiter_access::take(*of_, now);
    if (wait == wait.zero()) of_ = nullptr;
    return wait;
  }

 private:
  rate_limiter* of_;
};

struct duplicate_news {
  const duplicate_filter& in;
  const std::string& key;

  static bool is_there(void* self, bool) {
    const auto& mine = *static_cast<duplicate_news*>(self);
    return !mine.in.is_in_flight(mine.key);
  }
};

}  // namespace

void destroy_entered::operator()(entered_policy* entered) const noexcept { delete entered; }

bool breaker_call::try_begin(const std::shared_ptr<circuit_breaker>& through, exec_time now) {
  if (!breaker_access::try_pass(*through, now, ticket_)) return false;
  through_ = through.get();
  return true;
}

asio::awaitable<void> breaker_call::begin(std::shared_ptr<circuit_breaker> through, bool wait,
                                          exec_time until) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  for (bool has_waited = false;; has_waited = true) {
    const exec_time now = exec::now(here);
    auto given = breaker_access::look_at(*through);
    const bool is_over = has_waited && now >= until;
    if (!is_over) given = breaker_access::try_enter(*through, now);
    if (given.let_through) {
      ticket_ = *given.let_through;
      through_ = through.get();
      co_return;
    }
    if (!wait || is_over) {
      std::rethrow_exception(breaker_access::refusal(*through, given, now));
    }
    breaker_news news{*through, given.generation, here};
    const auto at_most = saturating_sub(std::min(given.retry_at, until), now);
    auto& line = breaker_access::waiting(*through).made<wait_line>();
    (void)co_await line.list().wait_for(&breaker_news::is_there, &news, at_most, "circuit breaker");
  }
}

// A message with a key keeps its loop: otherwise the next one of its key would overtake it (P5).
exec::coroutine_loop* loop_to_leave(const handler_run& run,
                                    const asio::any_io_executor& here) noexcept {
  const retry& settings = run.policy->retry;
  if (!run.queued || settings.hold_order || settings.attempts <= 1) return nullptr;
  exec::coroutine_loop* const loop = exec::loop_on(here);
  return loop && !loop->mine.keeps_order() ? loop : nullptr;
}

asio::awaitable<void> wait_for_permit(std::shared_ptr<rate_limiter> of,
                                      exec::clock::duration at_most) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto given = limiter_access::enter(*of, exec::now(here), at_most);
  using kind = limiter_access::answer::kind;
  if (given.result == kind::taken) co_return;
  if (given.result == kind::refused) std::rethrow_exception(limiter_access::refusal(given.after));
  line_ticket ticket(*of);
  exec::async_semaphore& first = limiter_access::waiting(*of).made<turnstile>().first;
  co_await first.acquire();
  // Released after the place is given up: the next one then finds it so.
  struct release_at_end {
    exec::async_semaphore& of;
    ~release_at_end() { of.release(); }
  } const at_end{first};
  for (;;) {
    const auto wait = ticket.take(exec::now(here));
    if (wait == wait.zero()) co_return;
    co_await exec::sleep(wait);
  }
}

asio::awaitable<void> concurrency_permit::acquire(const stored_policy& of) {
  const semaphore own = own_ ? nullptr : of.permits;
  const semaphore shared = of.shared_permits;
  if (own) co_await own->acquire();
  if (own) own_ = own;
  if (shared) co_await shared->acquire();
  shared_ = shared;
}

using seen = duplicate_filter::seen;

seen unique_message::begin_with(duplicate_filter& in, std::string_view key, exec_time now) {
  const auto answer = in.begin(key, now);
  if (answer.was == seen::never) {
    begun_ = answer.begun;
    in_ = &in;
  }
  return answer.was;
}

seen unique_message::try_begin(const stored_policy& policy, value_ref message,
                               const msgbus::context& ctx, exec_time now) {
  if (!policy.key) {
    // A message without an id is no duplicate of anything.
    if (ctx.message_id().empty()) return seen::never;
    const seen was = begin_with(*policy.filter, ctx.message_id(), now);
    if (was == seen::in_flight) key_ = std::string(ctx.message_id());
    return was;
  }
  std::string made = policy.key(any_event(message));
  if (made.empty()) return seen::never;
  const seen was = begin_with(*policy.filter, made, now);
  if (was == seen::in_flight) key_ = std::move(made);
  return was;
}

asio::awaitable<bool> unique_message::begin(const handler_run& run) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  seen was = seen::in_flight;
  if (!key_) was = try_begin(*run.policy, run.value, run.ctx, exec::now(here));
  const std::shared_ptr<duplicate_filter> in = run.policy->filter;
  while (was == seen::in_flight) {
    duplicate_news news{*in, *key_};
    auto& line = in->waiting().made<wait_line>();
    exec::time_beside beside(loop_to_leave(run, here));
    co_await line.list().wait(&duplicate_news::is_there, &news, "duplicate");
    co_await beside.come_back();
    was = begin_with(*in, *key_, exec::now(here));
  }
  key_.reset();
  co_return was == seen::never;
}

}  // namespace msgbus::async::detail
