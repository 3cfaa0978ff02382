#include "policy/backoff.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/error.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <system_error>

namespace backoff_test {

using msgbus::backoff_kind;
using msgbus::errc;
using msgbus::retry;
using msgbus::detail::backoff_before;
using msgbus::detail::failures;
using msgbus::detail::is_final;
using msgbus::detail::pause_before;
using msgbus::detail::random_part;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

namespace {

struct busy : std::runtime_error, msgbus::retry_hint {
  explicit busy(duration after) : std::runtime_error("busy"), retry_hint(after) {}
};

template <class E>
failures failed_with(E e) {
  failures failed;
  failed.add(std::make_exception_ptr(std::move(e)));
  return failed;
}

template <class E>
bool is_final_one(E e) {
  return is_final(std::make_exception_ptr(std::move(e)));
}

}  // namespace

TEST_CASE("a linear backoff grows by the first, and a constant one does not grow") {
  const retry linear{
      .backoff = 100ms, .max_backoff = 1s, .jitter = 0, .kind = backoff_kind::linear};
  CHECK(backoff_before(2, linear, 0.5) == 100ms);
  CHECK(backoff_before(3, linear, 0.5) == 200ms);
  CHECK(backoff_before(4, linear, 0.5) == 300ms);
  CHECK(backoff_before(11, linear, 0.5) == 1s);
  CHECK(backoff_before(12, linear, 0.5) == 1s);
  CHECK(backoff_before(static_cast<std::size_t>(-1), linear, 0.5) == 1s);
  const retry constant{
      .backoff = 100ms, .max_backoff = 1s, .jitter = 0, .kind = backoff_kind::constant};
  CHECK(backoff_before(2, constant, 0.5) == 100ms);
  CHECK(backoff_before(1'000'000, constant, 0.5) == 100ms);
  const retry endless{.backoff = duration::max() / 2 + 1ns,
                      .max_backoff = duration::max(),
                      .jitter = 0,
                      .kind = backoff_kind::linear};
  CHECK(backoff_before(4, endless, 1) == duration::max());
  CHECK(backoff_before(4, {.backoff = 0s, .jitter = 0, .kind = backoff_kind::linear}, 1) == 0s);
}

TEST_CASE("a failure that asks for a longer pause gets it, whatever the longest backoff is") {
  const retry how{.backoff = 100ms, .max_backoff = 1s, .jitter = 0};
  CHECK(pause_before(2, how, failed_with(busy(5s)), 1) == 5s);
  CHECK(pause_before(2, how, failed_with(busy(10ms)), 1) == 100ms);
  CHECK(pause_before(2, how, failed_with(std::runtime_error("down")), 1) == 100ms);
}

TEST_CASE("cancellation, bad_alloc and misuse are final, and other failures are not", "[P4]") {
  CHECK(is_final_one(std::bad_alloc()));
  CHECK(is_final_one(std::system_error(std::make_error_code(std::errc::operation_canceled))));
  CHECK(is_final_one(std::system_error(ECANCELED, std::system_category())));
  CHECK(is_final(msgbus::exec::aborted("a wait")));
  for (const errc each :
       {errc::would_deadlock, errc::not_provided, errc::misused_dependency, errc::bad_arguments,
        errc::type_mismatch, errc::invalid_topic, errc::duplicate_handler, errc::unsupported}) {
    CHECK(is_final_one(msgbus::error(each, "")));
  }
  for (const errc each : {errc::timed_out, errc::disconnected, errc::circuit_open,
                          errc::rate_limited, errc::full, errc::remote_failed}) {
    CHECK_FALSE(is_final_one(msgbus::error(each, "")));
  }
  CHECK_FALSE(is_final_one(std::runtime_error("down")));
  CHECK_FALSE(is_final_one(7));
  CHECK_FALSE(is_final(nullptr));
  const auto down = std::make_exception_ptr(std::runtime_error("down"));
  CHECK_FALSE(is_final_one(msgbus::dispatch_error({down, down})));
  CHECK(is_final_one(msgbus::dispatch_error({down, std::make_exception_ptr(std::bad_alloc())})));
}

TEST_CASE("another attempt is wanted while there are some, and if_ says so") {
  using msgbus::detail::wants_another;
  failures none;
  CHECK_FALSE(wants_another(1, {.attempts = 5}, none));
  auto down = failed_with(std::runtime_error("down"));
  CHECK(wants_another(4, {.attempts = 5}, down));
  CHECK_FALSE(wants_another(5, {.attempts = 5}, down));
  CHECK_FALSE(wants_another(1, {}, down));
  auto too_big = failed_with(std::bad_alloc());
  CHECK_FALSE(wants_another(1, {.attempts = 5}, too_big));
  const retry choosy{.attempts = 5, .if_ = [](const std::exception_ptr& failure) {
                       return msgbus::describe(failure) == "down";
                     }};
  CHECK(wants_another(1, choosy, down));
  auto wrong = failed_with(std::runtime_error("wrong"));
  CHECK_FALSE(wants_another(1, choosy, wrong));
  CHECK(wrong.size() == 1);
}

TEST_CASE("a condition that throws ends the retries, and is reported beside the failure") {
  const retry how{.attempts = 5, .if_ = [](const std::exception_ptr&) -> bool {
                    throw std::logic_error("no answer");
                  }};
  auto failed = failed_with(std::runtime_error("down"));
  CHECK_FALSE(msgbus::detail::wants_another(1, how, failed));
  REQUIRE(failed.size() == 2);
  CHECK(msgbus::describe(failed[0]) == "down");
  CHECK(msgbus::describe(failed[1]) == "no answer");
}

TEST_CASE("a backoff doubles before each attempt, up to its limit") {
  const retry how{.backoff = 100ms, .max_backoff = 1s, .jitter = 0};
  CHECK(backoff_before(2, how, 0.5) == 100ms);
  CHECK(backoff_before(3, how, 0.5) == 200ms);
  CHECK(backoff_before(5, how, 0.5) == 800ms);
  CHECK(backoff_before(6, how, 0.5) == 1s);
  CHECK(backoff_before(1'000'000'000, how, 0.5) == 1s);
}

TEST_CASE("jitter takes away a part of the backoff and never adds to it") {
  const retry how{.backoff = 100ms, .jitter = 0.2};
  CHECK(backoff_before(2, how, 1) == 100ms);
  CHECK(backoff_before(2, how, 0) == 80ms);
  CHECK(backoff_before(2, {.backoff = 100ms, .jitter = 1}, 0) == 0ms);
  CHECK(backoff_before(2, {.backoff = 100ms, .jitter = 7}, 0) == 0ms);
  CHECK(backoff_before(2, {.backoff = 100ms, .jitter = -7}, 0) == 100ms);
}

TEST_CASE("a random part is from 0 to 1, and differs from draw to draw") {
  double least = 1, most = 0;
  for (int i = 0; i < 1000; ++i) {
    const double drawn = random_part();
    CHECK(drawn >= 0);
    CHECK(drawn <= 1);
    least = std::min(least, drawn);
    most = std::max(most, drawn);
  }
  CHECK(least < 0.1);
  CHECK(most > 0.9);
}

TEST_CASE("the largest and the smallest backoffs do not overflow") {
  const retry endless{
      .backoff = duration::max() / 2 + 1ns, .max_backoff = duration::max(), .jitter = 0};
  CHECK(backoff_before(50, endless, 1) == duration::max());
  CHECK(backoff_before(3, {.backoff = 0ms, .jitter = 0}, 1) == 0ms);
  CHECK(backoff_before(2, {.backoff = 2s, .max_backoff = 1s, .jitter = 0}, 1) == 1s);
  CHECK(backoff_before(9, {.backoff = duration::min()}, 0.5) == 0ms);
  CHECK(backoff_before(9, {.max_backoff = duration::min()}, 0.5) == 0ms);
  CHECK(backoff_before(2, {.backoff = duration::max(), .max_backoff = duration::max()}, 0) > 0ms);
}

}  // namespace backoff_test
