#include "policy/backoff.hpp"

#include <msgbus/error.hpp>

#include <algorithm>
#include <new>
#include <random>
#include <string_view>
#include <system_error>

namespace msgbus::detail {

namespace {

using duration = std::chrono::steady_clock::duration;

/// `pause` without jitter, never more than `longest`.
duration grown(std::size_t next, backoff_kind kind, duration first, duration longest) noexcept {
  duration pause = std::max(std::min(first, longest), duration::zero());
  if (kind == backoff_kind::constant || pause == duration::zero()) return pause;
  if (kind == backoff_kind::linear) {
    const auto times = static_cast<std::uint64_t>(next - 1);
    const auto fit = static_cast<std::uint64_t>(longest / pause);
    return times > fit ? longest : pause * static_cast<duration::rep>(times);
  }
  for (std::size_t n = 2; n < next && pause < longest; ++n) {
    pause = pause > longest / 2 ? longest : pause * 2;
  }
  return pause;
}

/// This is compiled without Asio, whose category of system errors is its own.
bool is_cancellation(const std::error_code& code) noexcept {
  if (code == std::errc::operation_canceled) return true;
  return code.value() == static_cast<int>(std::errc::operation_canceled) &&
         std::string_view(code.category().name()) == "asio.system";
}

bool is_misuse(const std::error_code& code) noexcept {
  for (const errc each :
       {errc::would_deadlock, errc::not_provided, errc::misused_dependency, errc::bad_arguments,
        errc::type_mismatch, errc::invalid_topic, errc::duplicate_handler, errc::unsupported}) {
    if (code == each) return true;
  }
  return false;
}

}  // namespace

duration backoff_before(std::size_t next, const retry& settings, double random) noexcept {
  const duration pause = grown(next, settings.kind, settings.backoff, settings.max_backoff);
  // The difference is scaled, not the pause itself: the longest pause has no exact double.
  const double less = std::clamp(settings.jitter, 0.0, 1.0) * (1.0 - std::clamp(random, 0.0, 1.0));
  if (less >= 1.0) return duration::zero();
  return pause - std::chrono::duration_cast<duration>(pause * less);
}

duration pause_before(std::size_t next, const retry& settings, const failures& failed,
                      double random) noexcept {
  duration pause = backoff_before(next, settings, random);
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (const auto asked = retry_after(failed[i])) pause = std::max(pause, *asked);
  }
  return pause;
}

bool is_final(const std::exception_ptr& failure) noexcept {
  if (!failure) return false;
  try {
    std::rethrow_exception(failure);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const dispatch_error& several) {
    return std::any_of(several.errors().begin(), several.errors().end(), is_final);
  } catch (const std::system_error& e) {
    return is_cancellation(e.code()) || is_misuse(e.code());
  } catch (...) {
    return false;
  }
}

bool any_final(const failures& failed) noexcept {
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (is_final(failed[i])) return true;
  }
  return false;
}

bool wants_another(std::size_t made, const retry& settings, failures& failed) {
  if (made >= settings.attempts || failed.empty() || any_final(failed)) return false;
  if (!settings.if_) return true;
  try {
    return settings.if_(failed[0]);
  } catch (...) {
    failed.add(std::current_exception());
    return false;
  }
}

double random_part() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace msgbus::detail

namespace msgbus {

std::optional<std::chrono::steady_clock::duration> retry_after(
    const std::exception_ptr& failure) noexcept {
  if (!failure) return std::nullopt;
  try {
    std::rethrow_exception(failure);
  } catch (const retry_hint& hint) {
    return hint.retry_after();
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace msgbus
