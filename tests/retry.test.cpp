#include <msgbus/retry.hpp>

#include "support/catch.hpp"

#include <stdexcept>

namespace retry_test {

using namespace std::chrono_literals;

struct busy : std::runtime_error, msgbus::retry_hint {
  explicit busy(std::chrono::seconds after) : std::runtime_error("busy"), retry_hint(after) {}
};

TEST_CASE("a retry_hint has the time for the next attempt") {
  CHECK(msgbus::retry_after(std::make_exception_ptr(busy(3s))) == 3s);
  CHECK_FALSE(msgbus::retry_after(std::make_exception_ptr(std::runtime_error("down"))));
  CHECK_FALSE(msgbus::retry_after(std::make_exception_ptr(7)));
  CHECK_FALSE(msgbus::retry_after(nullptr));
}

TEST_CASE("a default retry makes one attempt") {
  const msgbus::retry settings;
  CHECK(settings.attempts == 1);
  CHECK(settings.kind == msgbus::backoff_kind::exponential);
  CHECK_FALSE(settings.if_);
}

TEST_CASE("kinds of backoff are printed by their names") {
  using enum msgbus::backoff_kind;
  CHECK(Catch::Detail::stringify(exponential) == "exponential");
  CHECK(Catch::Detail::stringify(linear) == "linear");
  CHECK(Catch::Detail::stringify(constant) == "constant");
}

}  // namespace retry_test
