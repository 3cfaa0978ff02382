#pragma once

/// The values that the members of policies may have. A value that means nothing is refused where it
/// is given: `bad_arguments`, with the member, the value and what is allowed.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <cstddef>
#include <string_view>

namespace msgbus {
struct breaker_options;
struct dead_letter_options;
struct deduplicate;
struct rate_limit;
struct retry;
}  // namespace msgbus

namespace msgbus::detail {

// One for each kind of value. `member` is named as in `retry::attempts`.

using checked_duration = std::chrono::steady_clock::duration;

/// A limit or a pause: zero or longer.
void check_not_negative(std::string_view member, checked_duration value);
/// A period: longer than zero.
void check_above_zero(std::string_view member, checked_duration value);
/// The largest value of something that begins with `first`.
void check_at_least(std::string_view member, checked_duration value, std::string_view first_member,
                    checked_duration first);
/// A number of things, of which there is one at least.
void check_one_or_more(std::string_view member, std::size_t value);
/// A part of a whole: from 0 to 1.
void check_part(std::string_view member, double value);
/// As above, but not 0.
void check_part_above_zero(std::string_view member, double value);

// One for each aggregate.

void check(const retry& given);
/// In a policy, where it may ask for nothing.
void check(const rate_limit& given);
/// Of a `rate_limiter`, which has permits.
void check_limiter(const rate_limit& given);
void check(const deduplicate& given);
void check(const breaker_options& given);
/// Also throws `unsupported` for `overflow::suspend`.
void check(const dead_letter_options& given);

}  // namespace msgbus::detail
