#include <msgbus/detail/async/component_name.hpp>

#include "support/catch.hpp"

#include <string>

namespace component_name_test {

using msgbus::async::detail::component_name;

TEST_CASE("a component is called by its kind, and by its name when it has one") {
  component_name called("the consumer");
  CHECK(std::string(called.text()) == "the consumer");
  CHECK(called.name().empty());
  CHECK(called.kind() == "consumer");
  called.set("audit");
  CHECK(std::string(called.text()) == "the consumer \"audit\"");
  CHECK(called.name() == "audit");
  CHECK(called.kind() == "consumer");
}

TEST_CASE("a name that was read stays when another is given") {
  component_name called("the service");
  called.set("first");
  const std::string_view before = called.name();
  called.set("second");
  CHECK(before == "first");
  CHECK(called.name() == "second");
}

}  // namespace component_name_test
