#include "policy/checks.hpp"

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/dead_letter.hpp>
#include <msgbus/deduplicate.hpp>
#include <msgbus/error.hpp>
#include <msgbus/rate_limit.hpp>
#include <msgbus/retry.hpp>

#include "policy/policy_text.hpp"

#include <sstream>
#include <string>

namespace msgbus::detail {

namespace {

[[noreturn]] void refuse(std::string_view member, const std::string& value,
                         std::string_view allowed) {
  throw error(errc::bad_arguments,
              std::string(member) + " is " + value + ", but must be " + std::string(allowed));
}

std::string text_of(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

void check_not_negative(std::string_view member, checked_duration value) {
  if (value < value.zero()) refuse(member, duration_text(value), "zero or longer");
}

void check_above_zero(std::string_view member, checked_duration value) {
  if (value <= value.zero()) refuse(member, duration_text(value), "longer than zero");
}

void check_at_least(std::string_view member, checked_duration value, std::string_view first_member,
                    checked_duration first) {
  if (value >= first) return;
  refuse(member, duration_text(value),
         "at least " + std::string(first_member) + ", which is " + duration_text(first));
}

void check_one_or_more(std::string_view member, std::size_t value) {
  if (value == 0) refuse(member, "0", "1 or more");
}

// A NaN is in no range.
void check_part(std::string_view member, double value) {
  if (!(value >= 0 && value <= 1)) refuse(member, text_of(value), "from 0 to 1");
}

void check_part_above_zero(std::string_view member, double value) {
  if (!(value > 0 && value <= 1)) refuse(member, text_of(value), "above 0, and 1 at most");
}

void check(const retry& given) {
  check_one_or_more("retry::attempts", given.attempts);
  check_not_negative("retry::backoff", given.backoff);
  check_at_least("retry::max_backoff", given.max_backoff, "retry::backoff", given.backoff);
  check_part("retry::jitter", given.jitter);
}

void check(const rate_limit& given) {
  if (given.limiter) {
    const std::string_view only = "0 beside rate_limit::limiter, which has its own";
    if (given.permits != 0) refuse("rate_limit::permits", std::to_string(given.permits), only);
    if (given.burst != 0) refuse("rate_limit::burst", std::to_string(given.burst), only);
    return;
  }
  check_above_zero("rate_limit::per", given.per);
  if (given.permits == 0 && given.burst != 0) {
    refuse("rate_limit::burst", std::to_string(given.burst), "0 without rate_limit::permits");
  }
}

void check_limiter(const rate_limit& given) {
  if (given.limiter) {
    refuse("rate_limit::limiter", "set", "null for a rate_limiter, which is one itself");
  }
  check_one_or_more("rate_limit::permits", given.permits);
  check(given);
}

void check(const deduplicate& given) {
  check_not_negative("deduplicate::window", given.window);
  if (given.window != given.window.zero()) {
    check_one_or_more("deduplicate::capacity", given.capacity);
  } else if (given.key) {
    refuse("deduplicate::window", duration_text(given.window),
           "longer than zero beside deduplicate::key");
  }
}

void check(const breaker_options& given) {
  check_part_above_zero("breaker_options::failure_ratio", given.failure_ratio);
  check_one_or_more("breaker_options::minimum", given.minimum);
  check_above_zero("breaker_options::sampling", given.sampling);
  check_above_zero("breaker_options::open_for", given.open_for);
  check_at_least("breaker_options::max_open_for", given.max_open_for, "breaker_options::open_for",
                 given.open_for);
  check_one_or_more("breaker_options::half_open_permits", given.half_open_permits);
}

void check(const dead_letter_options& given) {
  check_one_or_more("dead_letter_options::capacity", given.capacity);
  if (given.on_full != overflow::suspend) return;
  throw error(errc::unsupported,
              "dead letters cannot wait for room: nobody makes any; choose drop_oldest, "
              "drop_newest or reject");
}

}  // namespace msgbus::detail
