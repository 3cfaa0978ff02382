#include <msgbus/circuit_breaker.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/failure.hpp>

#include "core/text.hpp"
#include "policy/backoff.hpp"
#include "policy/breaker_access.hpp"
#include "policy/checks.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <utility>

namespace msgbus {

namespace {

breaker_options checked(breaker_options given) {
  detail::check(given);
  return given;
}

}  // namespace

circuit_breaker::circuit_breaker(breaker_options options)
    : options_(checked(std::move(options))),
      machine_({options_.failure_ratio, options_.minimum, options_.sampling, options_.open_for,
                options_.max_open_for, options_.half_open_permits}) {}

void circuit_breaker::tell(state now) const noexcept {
  if (!options_.on_change) return;
  try {
    options_.on_change(now);
  } catch (...) {
    detail::say_thrown_by("breaker_options::on_change");
  }
}

// Waiting coroutines are woken, and the user's callback is called, without the lock.
template <class Change>
auto circuit_breaker::change(Change&& change) {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = machine_.generation();
  auto result = change();
  const bool has_changed = machine_.generation() != before;
  const state now = machine_.phase();
  lock.unlock();
  if (has_changed) {
    tell(now);
    waiting_.wake(detail::waiters::all);
  }
  return result;
}

circuit_breaker::state circuit_breaker::current() const {
  const std::lock_guard lock(mutex_);
  return machine_.phase();
}

void circuit_breaker::isolate() {
  change([&] { return machine_.isolate(), true; });
}

void circuit_breaker::reset() {
  change([&] { return machine_.reset(), true; });
}

namespace detail {

breaker_access::answer breaker_access::try_enter(circuit_breaker& to, machine::time_point now) {
  return to.change([&] {
    answer given{machine::ticket(), {}, 0};
    if (!to.machine_.try_enter(now, *given.let_through)) given.let_through.reset();
    given.retry_at = to.machine_.retry_at();
    given.generation = to.machine_.generation();
    return given;
  });
}

bool breaker_access::try_pass(circuit_breaker& to, machine::time_point now,
                              machine::ticket& given) {
  return to.change([&] { return to.machine_.try_enter(now, given); });
}

breaker_access::answer breaker_access::look_at(const circuit_breaker& at) {
  const std::lock_guard lock(at.mutex_);
  return {std::nullopt, at.machine_.retry_at(), at.machine_.generation()};
}

void breaker_access::leave(circuit_breaker& to, const machine::ticket& given,
                           machine::verdict result, machine::time_point now) {
  to.change([&] { return to.machine_.leave(given, result, now), true; });
  // A probe's permit is for the next one that asks.
  if (given.is_probe && result == machine::verdict::ignored) to.waiting_.wake(waiters::all);
}

bool breaker_access::has_news(const circuit_breaker& of, std::uint64_t seen_generation,
                              machine::time_point now) {
  const std::lock_guard lock(of.mutex_);
  return of.machine_.generation() != seen_generation || of.machine_.may_enter(now);
}

breaker_machine::verdict breaker_access::verdict_on(const circuit_breaker& to,
                                                    const failures& failed) noexcept {
  if (failed.empty()) return machine::verdict::succeeded;
  if (any_final(failed)) return machine::verdict::ignored;
  if (!to.options_.counts) return machine::verdict::failed;
  try {
    return to.options_.counts(failed[0]) ? machine::verdict::failed : machine::verdict::ignored;
  } catch (...) {
    say_thrown_by("breaker_options::counts");
    return machine::verdict::failed;
  }
}

std::exception_ptr breaker_access::refusal(const circuit_breaker& by, const answer& given,
                                           machine::time_point now) {
  const std::string& name = by.options_.name;
  const std::string breaker = "circuit breaker" + (name.empty() ? "" : " '" + name + "'");
  if (given.retry_at == machine::time_point::max()) {
    return std::make_exception_ptr(
        error(errc::circuit_open, breaker + " is isolated: it refuses all calls until reset()"));
  }
  const auto after = std::max(saturating_sub(given.retry_at, now), machine::duration::zero());
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(after).count();
  return std::make_exception_ptr(
      refused_error(errc::circuit_open,
                    breaker + " is open: it tries again in " + std::to_string(ms) + " ms", after));
}

attached_waiters& breaker_access::waiting(circuit_breaker& of) noexcept { return of.waiting_; }

}  // namespace detail

std::string_view state_name(circuit_breaker::state state) noexcept {
  using enum circuit_breaker::state;
  switch (state) {
    case closed: return "closed";
    case open: return "open";
    case half_open: return "half_open";
    case isolated: return "isolated";
  }
  return "unknown";
}

std::ostream& detail::operator<<(std::ostream& out, breaker_phase state) {
  return out << state_name(state);
}

}  // namespace msgbus
