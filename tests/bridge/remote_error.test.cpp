#include <msgbus/bridge/remote_error.hpp>

#include <msgbus/detail/bridge/commands.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>

namespace remote_error_test {

using msgbus::envelope;
using msgbus::errc;
using msgbus::error;
using msgbus::remote_error;
using msgbus::bridging::throw_error_in;
using msgbus::bridging::write_error;

namespace {

template <class E>
envelope answer_to(E thrown) {
  envelope answer{.topic = "x", .payload = "half a result"};
  write_error(answer, std::make_exception_ptr(std::move(thrown)));
  return answer;
}

struct no_exception_at_all {};

}  // namespace

TEST_CASE("an exception of a handler crosses with its kind and its text") {
  const envelope answer = answer_to(std::out_of_range("no user 7"));
  CHECK(answer.payload.empty());
  try {
    throw_error_in(answer, "update");
    FAIL("nothing was thrown");
  } catch (const remote_error& e) {
    CHECK(e.code() == errc::remote_failed);
    CHECK(e.kind() == "std::out_of_range");
    CHECK(e.text() == "no user 7");
    CHECK(std::string(e.what()) ==
          "remote operation 'update' failed with std::out_of_range: no user 7");
  }
}

TEST_CASE("a defect of a command is an error of its own") {
  for (const errc code : {errc::bad_arguments, errc::no_handler, errc::closed}) {
    const envelope answer = answer_to(error(code, "so it was"));
    try {
      throw_error_in(answer, "update");
      FAIL("nothing was thrown");
    } catch (const remote_error&) {
      FAIL("it is no remote_error");
    } catch (const error& e) {
      CHECK(e.code() == code);
      CHECK(std::string(e.what()) == "so it was");
    }
  }
}

TEST_CASE("an error of the library that a handler threw is the handler's failure") {
  const envelope answer = answer_to(error(errc::timed_out, "its database was slow"));
  CHECK_THROWS_AS(throw_error_in(answer, "update"), remote_error);
}

TEST_CASE("the error code of a handler's exception crosses with its category", "[B6]") {
  const auto code_of_thrown = [](const envelope& answer) {
    try {
      throw_error_in(answer, "update");
    } catch (const remote_error& e) {
      return e.remote_code();
    }
    throw std::logic_error("nothing was thrown");
  };
  const auto refused = std::make_error_code(std::errc::connection_refused);
  const auto system = code_of_thrown(answer_to(std::system_error(refused, "the database")));
  REQUIRE(system);
  CHECK(system->category == "generic");
  CHECK(system->value == refused.value());
  const auto ours = code_of_thrown(answer_to(error(errc::timed_out, "its database was slow")));
  REQUIRE(ours);
  CHECK(ours->category == "msgbus");
  CHECK(ours->value == static_cast<int>(errc::timed_out));
  CHECK_FALSE(code_of_thrown(answer_to(std::runtime_error("no code"))));

  for (const char* const value : {"", "x", "1x", "99999999999999999999", " 1"}) {
    INFO(value);
    envelope hostile = answer_to(std::system_error(refused, "the database"));
    hostile.headers.insert_or_assign("Msgbus-Error-Value", value);
    CHECK_FALSE(code_of_thrown(hostile));
  }
}

TEST_CASE("a thrown value that is no exception crosses by its type, and texts cross in one line") {
  try {
    throw_error_in(answer_to(no_exception_at_all{}), "update");
    FAIL("nothing was thrown");
  } catch (const remote_error& e) {
    CHECK(e.kind().find("no_exception_at_all") != std::string::npos);
  }
  try {
    throw_error_in(answer_to(std::runtime_error("two\r\nlines")), "update");
    FAIL("nothing was thrown");
  } catch (const remote_error& e) {
    CHECK(e.text() == "two  lines");
  }
}

TEST_CASE("an error of another program, which knows no kinds, crosses too") {
  envelope answer{
      .topic = "x",
      .headers = {{"Nats-Service-Error-Code", "418"}, {"Nats-Service-Error", "I am a teapot"}}};
  try {
    throw_error_in(answer, "brew");
    FAIL("nothing was thrown");
  } catch (const remote_error& e) {
    CHECK(e.kind() == "error 418");
    CHECK(e.text() == "I am a teapot");
  }
}

TEST_CASE("an answer without an error throws nothing") {
  CHECK_NOTHROW(throw_error_in(envelope{.topic = "x"}, "update"));
}

TEST_CASE("where there is no room for a text, the kind crosses", "[B6]") {
  envelope answer{.topic = "x", .headers = {{"A", "1"}}, .payload = "half a result"};
  const std::string text(1000, 'x');
  msgbus::bridging::write_short_error(answer, std::make_exception_ptr(std::out_of_range(text)));
  CHECK(answer.payload.empty());
  CHECK(answer.headers.size() == 3);
  try {
    throw_error_in(answer, "update");
    FAIL("nothing was thrown");
  } catch (const remote_error& e) {
    CHECK(e.kind() == "std::out_of_range");
    CHECK(e.text() == "the reply cannot be sent");
  }
}

}  // namespace remote_error_test
