#include "top/address.hpp"

#include "support/catch.hpp"

#include <stdexcept>

namespace address_test {

using msgbus::top::read_address;
using msgbus_test::contains;

TEST_CASE("an address may leave out all but the port") {
  CHECK(read_address("8080").url() == "http://127.0.0.1:8080/");
  CHECK(read_address(":8080").url() == "http://127.0.0.1:8080/");
  CHECK(read_address("here:8080").url() == "http://here:8080/");
  CHECK(read_address("http://here").url() == "http://here:80/");
  CHECK(read_address("http://here:1/some/path").url() == "http://here:1/some/path/");
  CHECK(read_address("http://[::1]:8080/").url() == "http://[::1]:8080/");
  CHECK(read_address("[::1]:8080").host == "::1");
}

TEST_CASE("an address that is none is refused with a sentence") {
  for (const char* const text :
       {"", "a b", "here:", "here:0", "here:65536", "here:x", "99999", "[::1", "a\n", "a:1:2"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(read_address(text), std::invalid_argument);
  }
  CHECK_THROWS_WITH(read_address("https://here"), contains("tunnel"));
}

}  // namespace address_test
