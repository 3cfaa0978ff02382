#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/loop.hpp"
#include "support/thrown.hpp"

namespace options_test {

using msgbus::errc;
using namespace msgbus_test;

// The tests that need no server. The others are in tests/integration/.

namespace {

std::exception_ptr failure_of(const msgbus::nats::options& given) {
  loop here;
  return thrown_by([&] { here.run(msgbus::nats::open(here.executor(), given)); });
}

bool is(const std::exception_ptr& failure, errc code) {
  return code_of([&] {
           if (failure) std::rethrow_exception(failure);
         }) == code;
}

}  // namespace

TEST_CASE("connecting without a listener fails, and the error names the url without the password") {
  // No program listens on this reserved port.
  const auto failure = failure_of({.url = "nats://me:secret@127.0.0.1:1", .name = "test"});
  REQUIRE(failure);
  CHECK(is(failure, errc::disconnected));
  const std::string text = msgbus::describe(failure);
  CHECK_THAT(text, contains("cannot connect to nats://127.0.0.1:1: "));
  CHECK_THAT(text, !contains("secret"));
}

TEST_CASE("an error names each of several urls") {
  const auto failure = failure_of({.url = "nats://t@127.0.0.1:1, 127.0.0.1:2", .token = "secret"});
  CHECK(is(failure, errc::disconnected));
  CHECK_THAT(msgbus::describe(failure), contains("nats://127.0.0.1:1, 127.0.0.1:2: "));
}

TEST_CASE("invalid options are refused before a connection is made") {
  CHECK(is(failure_of({.url = ""}), errc::bad_arguments));
  CHECK(is(failure_of({.url = " , "}), errc::bad_arguments));
  msgbus::nats::options given{.url = "nats://localhost:1"};
  given.tls.required = true;
  given.tls.ca_file = "/nowhere/ca.pem";
  CHECK(failure_of(given));
  given.tls = {};
  given.credentials_file = "/nowhere/user.creds";
  CHECK(failure_of(given));
}

TEST_CASE("TLS to an address requires the expected name of the certificate") {
  const auto failure = failure_of({.url = "tls://127.0.0.1:1"});
  CHECK(is(failure, errc::bad_arguments));
  CHECK_THAT(msgbus::describe(failure), contains("expected_host"));
  CHECK(is(failure_of({.url = "tls://localhost:1,tls://[::1]:1"}), errc::bad_arguments));
  CHECK(is(failure_of({.url = "tls://localhost:1"}), errc::disconnected));
}

TEST_CASE("an event of a connection is printed with its kind and its text") {
  using enum msgbus::nats::event::kind;
  const msgbus::nats::event lost{disconnected, "127.0.0.1:4222: closed"};
  CHECK(Catch::Detail::stringify(lost) ==
        R"(event{.what = disconnected, .text = "127.0.0.1:4222: closed"})");
  CHECK(Catch::Detail::stringify(std::vector{reconnected, closed, slow_consumer, failed}) ==
        "{ reconnected, closed, slow_consumer, failed }");
}

}  // namespace options_test
