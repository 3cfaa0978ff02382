#include "monitor/access.hpp"

#include "support/catch.hpp"

#include <string>

namespace access_test {

using namespace msgbus::monitoring;

TEST_CASE("a host is an address, localhost or a name that was given, with any port") {
  for (const char* good : {"127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:1", "[::1]",
                           "[::1]:9090", "192.168.0.7:80", "shop.example", "Shop.Example:443"}) {
    CHECK(is_allowed_host(good, {"shop.example"}));
  }
  for (const char* bad :
       {"", ":80", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "[evil.example]",
        "[", "[]", "2130706433", "127.1", "shop.example.", "xshop.example"}) {
    CHECK(!is_allowed_host(bad, {"shop.example"}));
  }
}

TEST_CASE("the origin of an action is the site that was asked, or missing") {
  CHECK(is_same_origin("", "localhost:1"));
  CHECK(is_same_origin("http://localhost:1", "localhost:1"));
  CHECK(is_same_origin("https://shop.example", "shop.example"));
  CHECK(!is_same_origin("http://localhost:2", "localhost:1"));
  CHECK(!is_same_origin("http://evil.example", "localhost:1"));
  CHECK(!is_same_origin("null", "localhost:1"));
  CHECK(!is_same_origin("localhost:1", "localhost:1"));
}

TEST_CASE("only the whole token is the token") {
  CHECK(is_authorized("Bearer secret", "secret"));
  CHECK(is_authorized("bearer  secret ", "secret"));
  for (const char* bad : {"", "Bearer", "Bearer ", "secret", "Basic secret", "Bearer secre",
                          "Bearer secrets", "Bearer Secret", "Bearer secretsecret"}) {
    CHECK(!is_authorized(bad, "secret"));
  }
}

TEST_CASE("only loopback addresses are of this machine alone") {
  for (const char* own : {"127.0.0.1", "127.8.9.1", "::1", "localhost"}) CHECK(is_loopback(own));
  for (const char* open : {"0.0.0.0", "::", "", "10.0.0.1", "127.evil.example"}) {
    CHECK(!is_loopback(open));
  }
}

TEST_CASE("a media type is accepted if it is named, and not refused") {
  const std::string type = "application/openmetrics-text";
  CHECK(accepts("application/openmetrics-text;version=1.0.0;q=0.5,text/plain", type));
  CHECK(accepts("text/plain, application/openmetrics-text", type));
  CHECK(!accepts("text/plain;version=0.0.4", type));
  CHECK(!accepts("application/openmetrics-text;q=0, text/plain", type));
  CHECK(!accepts("", type));
  CHECK(!accepts("*/*", type));
}

}  // namespace access_test
