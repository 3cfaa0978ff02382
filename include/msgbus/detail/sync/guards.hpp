#pragma once

/// The policy of a sync handler, and its attempts.

#include <msgbus/context.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/function_ref.hpp>

#include <memory>
#include <string>

namespace msgbus::sync {
struct policy;
}  // namespace msgbus::sync

namespace msgbus::sync::detail {

/// A policy as a handler keeps it. Thread-safe.
class guards;
[[nodiscard]] std::shared_ptr<const guards> make_guards(const policy& handler_policy);

/// The policy in words, for descriptions.
[[nodiscard]] std::string text_of(const guards& by);

/// One attempt: adds what fails to the failures, or throws it.
using attempt = function_ref<void(const msgbus::context& ctx, failures& failed)>;

/// Makes attempts until one succeeds or the policy has enough. Adds what failed last; throws
/// `rate_limited` or `circuit_open`.
void make_attempts(const guards& by, const msgbus::context& ctx, failures& failed, attempt make);

/// For an operation, which needs its arguments again in every attempt. Throws `unsupported` if one
/// of them cannot be copied and the policy has retries.
void check_repeatable(const policy& asked, bool has_copies, const std::string& operation);

}  // namespace msgbus::sync::detail
