#include <msgbus/nats/options.hpp>

#include "support/catch.hpp"
#include "support/nats.hpp"
#include "support/thrown.hpp"

#include <cstdio>
#include <string>

namespace nats_connect_test {

using namespace msgbus_test;
using msgbus::errc;

namespace {

std::exception_ptr refused(const msgbus::nats::options& options) {
  loop here;
  return thrown_by([&] { connect(here, options); });
}

void check_denied(const std::exception_ptr& failure, const std::string& url) {
  REQUIRE(failure);
  CHECK(code_of([&] { std::rethrow_exception(failure); }) == errc::access_denied);
  const std::string text = msgbus::describe(failure);
  CHECK_THAT(text, contains("cannot connect to " + url + ": "));
  CHECK_THAT(text, !contains("secret"));
}

}  // namespace

TEST_CASE("the right token is accepted, and another one or none is refused") {
  const nats_server server({"--auth", "open sesame"});
  loop here;
  CHECK(connect(here, {.url = server.url(), .token = "open sesame"}));
  check_denied(refused({.url = server.url(), .token = "secret"}), server.url());
  check_denied(refused({.url = server.url()}), server.url());
}

TEST_CASE("user and password are accepted, as options or in the url") {
  const nats_server server({"--user", "me", "--pass", "right"});
  loop here;
  CHECK(connect(here, {.url = server.url(), .user = "me", .password = "right"}));
  CHECK(connect(here, {.url = "nats://me:right@" + server.address()}));
  check_denied(refused({.url = server.url(), .user = "me", .password = "secret"}), server.url());
  check_denied(refused({.url = "nats://me:secret@" + server.address()}), server.url());
}

TEST_CASE("a transport connects to the reachable one of several servers") {
  const nats_server server;
  loop here;
  const auto at = connect(here, {.url = "nats://127.0.0.1:1," + server.url()});
  here.run(at->flush(time_limit));
}

TEST_CASE("a transport has its executor and its features") {
  const nats_server server;
  loop here;
  const auto at = connect(here, server);
  CHECK(at->get_executor() == here.executor());
  CHECK(at->supports().durable);
  CHECK(at->supports().persistent);
  CHECK(at->supports().away);
  CHECK_FALSE(at->supports().holds_back);
}

TEST_CASE("connecting to a server that never answers times out") {
  const nats_server server;
  server.freeze();
  const auto failure = refused({.url = server.url(), .connect_timeout = 200ms});
  server.thaw();
  REQUIRE(failure);
  const auto code = code_of([&] { std::rethrow_exception(failure); });
  CHECK((code == errc::timed_out || code == errc::disconnected));
}

namespace {

/// Percent-encodes the characters that are special in a url.
std::string percent_encoded(const std::string& text) {
  std::string made;
  for (const char c : text) {
    char code[4] = {};
    const unsigned byte = static_cast<unsigned char>(c);
    std::snprintf(code, sizeof code, "%%%02X", byte);
    made += code;
  }
  return made;
}

}  // namespace

TEST_CASE("a password of any characters is accepted, and no text shows it") {
  // given: a server with unusual names and passwords
  const std::string password = R"(s3cr3t,a@b:c/d?e#f g"h\i{j}'k,l)";
  const nats_server server({"--user", "me,\"too\"", "--pass", password});
  loop here;
  const std::string with = "nats://me,\"too\":";
  // then: the login is accepted, plain and percent-encoded
  CHECK(connect(here, {.url = server.url(), .user = "me,\"too\"", .password = password}));
  const std::string raw = with + password + "@" + server.address();
  const std::string encoded = with + percent_encoded(password) + "@" + server.address();
  for (const std::string& url : {raw, encoded, "127.0.0.1:1, " + raw, raw + ",127.0.0.1:1"}) {
    INFO(url);
    CHECK(connect(here, {.url = url}));
  }
  // then: no error shows the password
  const std::string wrong = with + password + "x@" + server.address();
  check_denied(refused({.url = wrong}), server.url());
  CHECK_THAT(msgbus::describe(refused({.url = wrong})), !contains("s3cr3t") && !contains("l,"));
  // Different logins remain in the urls for nats.c.
  const auto both = refused({.url = wrong + ",nats://you:s3cr3t,too@" + server.address()});
  CHECK_THAT(msgbus::describe(both), !contains("s3cr3t"));
  CHECK_THAT(msgbus::describe(both), contains(server.url() + ", " + server.url()));
  CHECK(connect(here, {.url = wrong + "," + raw}));
}

TEST_CASE("a name and a token may have any characters") {
  const nats_server server({"--auth", R"(t"o\k,e@n)"});
  loop here;
  CHECK(connect(here, {.url = server.url(), .name = R"(a "name" \)", .token = R"(t"o\k,e@n)"}));
  CHECK(connect(here, {.url = R"(nats://t"o\k,e@n@)" + server.address()}));
}

TEST_CASE("options may have the longest durations") {
  const nats_server server;
  loop here;
  using duration = msgbus::nats::duration;
  const auto at = connect(
      here,
      {.url = server.url(), .connect_timeout = duration::max(), .reconnect_wait = duration::max()});
  here.run(at->flush(duration::max()));
}

}  // namespace nats_connect_test
