#include <msgbus/policy/refused_error.hpp>

#include "support/catch.hpp"

namespace refused_error_test {

using namespace std::chrono_literals;

TEST_CASE("a refused_error is an error, and says when to try again") {
  const auto thrown =
      std::make_exception_ptr(msgbus::refused_error(msgbus::errc::circuit_open, "later", 2s));
  CHECK(msgbus::retry_after(thrown) == 2s);
  try {
    std::rethrow_exception(thrown);
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::circuit_open);
    CHECK(std::string(e.what()) == "later");
  }
}

}  // namespace refused_error_test
