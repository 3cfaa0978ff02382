#include <msgbus/version.hpp>

#include "support/catch.hpp"

#include <string>

namespace version_test {

TEST_CASE("the compiled library has the version of its headers") {
  CHECK(msgbus::version() == MSGBUS_VERSION);
  CHECK(std::string(msgbus::version_string()) == MSGBUS_VERSION_STRING);
}

TEST_CASE("the number and the text of the version agree") {
  const int number = MSGBUS_VERSION;
  CHECK(std::to_string(number / 100000) + "." + std::to_string(number / 100 % 1000) + "." +
            std::to_string(number % 100) ==
        MSGBUS_VERSION_STRING);
}

}  // namespace version_test
