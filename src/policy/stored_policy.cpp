#include <msgbus/detail/policy/stored_policy.hpp>

#include "policy/checks.hpp"
#include "policy/policy_text.hpp"

#include <utility>

namespace msgbus::detail {

namespace {

std::shared_ptr<exec::async_semaphore> permits_of(const policy& given) {
  if (given.max_concurrent == 0) return nullptr;
  return std::make_shared<exec::async_semaphore>(given.max_concurrent);
}

std::shared_ptr<rate_limiter> limiter_of(const rate_limit& given) {
  if (given.limiter || given.is_plain()) return given.limiter;
  return std::make_shared<rate_limiter>(given);
}

/// The members in the order of the policy, from the inside out.
std::string summary_of(const policy& given) {
  policy_text text;
  if (!given.once.empty()) text.add("once as '" + given.once + "'");
  if (given.max_concurrent != 0) {
    text.add("at most " + std::to_string(given.max_concurrent) + " at once");
  }
  if (given.semaphore) text.add("a shared semaphore");
  if (given.timeout != given.timeout.zero()) text.add("timeout " + duration_text(given.timeout));
  text.add_breaker(given.breaker.get());
  text.add_attempts(given.retry.attempts);
  if (given.deadline != given.deadline.zero())
    text.add("deadline " + duration_text(given.deadline));
  text.add_limit(given.rate_limit);
  text.add_window(given.deduplicate);
  if (given.dead_letters) text.add("dead letters");
  return text.take();
}

std::shared_ptr<duplicate_filter> filter_of(const deduplicate& given) {
  if (given.is_plain()) return nullptr;
  return std::make_shared<duplicate_filter>(given.window, given.capacity);
}

}  // namespace

stored_policy::stored_policy(policy given)
    : once(given.once),
      timeout(given.timeout),
      retry(given.retry),
      deadline(given.deadline),
      permits(permits_of(given)),
      shared_permits(given.semaphore),
      breaker(given.breaker),
      limiter(limiter_of(given.rate_limit)),
      filter(filter_of(given.deduplicate)),
      key(given.deduplicate.key),
      dead_letters(given.dead_letters),
      summary(summary_of(given)),
      is_plain_(given.is_plain()),
      has_executor_(static_cast<bool>(given.executor)) {
  if (link(given.executor)) executor_ = std::move(given.executor);
}

asio::any_io_executor stored_policy::executor() const {
  const std::lock_guard lock(mutex_);
  return executor_;
}

void stored_policy::context_ended() noexcept {
  asio::any_io_executor released;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  std::swap(released, executor_);
}

void check(const policy& given) {
  check_not_negative("policy::timeout", given.timeout);
  check(given.retry);
  check_not_negative("policy::deadline", given.deadline);
  check(given.rate_limit);
  check(given.deduplicate);
}

policy with_defaults(policy own, const policy& defaults) {
  if (!own.executor) own.executor = defaults.executor;
  if (own.max_concurrent == 0) own.max_concurrent = defaults.max_concurrent;
  if (!own.semaphore) own.semaphore = defaults.semaphore;
  if (own.timeout == own.timeout.zero()) own.timeout = defaults.timeout;
  if (!own.breaker) own.breaker = defaults.breaker;
  if (own.retry.attempts <= 1) own.retry = defaults.retry;
  if (own.deadline == own.deadline.zero()) own.deadline = defaults.deadline;
  if (own.rate_limit.is_plain()) own.rate_limit = defaults.rate_limit;
  if (own.deduplicate.is_plain()) own.deduplicate = defaults.deduplicate;
  if (!own.dead_letters) own.dead_letters = defaults.dead_letters;
  return own;
}

}  // namespace msgbus::detail
