// Which headers requests and answers have, and that each end reads them all.

#include <msgbus/async.hpp>
#include <msgbus/bridge/remote_service.hpp>

#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace call_form_test {

using msgbus::encoding;
using msgbus::envelope;
using msgbus::header_form;
using msgbus::headers;
using msgbus_test::caught;
using msgbus_test::code_of;
using msgbus_test::neighbourhood;
using names = std::set<std::string>;
using namespace std::chrono_literals;

namespace {

/// Keeps all that crosses, as it is on the wire.
class everything final : public msgbus::transport::sink {
 public:
  bool take(envelope&& message, bool) noexcept override {
    got.push_back(std::move(message));
    return true;
  }
  std::vector<envelope> got;
};

names names_in(const headers& all) {
  names found;
  for (const auto& [name, value] : all) found.emplace(name);
  return found;
}

/// A service, its caller, and who listens on the line.
struct line {
  neighbourhood all;
  msgbus::bridge here = all.connect();
  msgbus::bridge there = all.connect();
  std::shared_ptr<msgbus::transport::transport> wire = all.broker.connect(all.executor());
  std::shared_ptr<everything> tapped = std::make_shared<everything>();
  std::unique_ptr<msgbus::transport::feed> feed = wire->subscribe(">", "", tapped);
  msgbus::async::service commands{all.executor()};
  std::string id;
  std::string correlation;
  msgbus::call_options asks;
  msgbus::serve_options serves;

  line() {
    asks.timeout = 1s;
    asks.source = "/shop/front";
    serves.source = "/shop/users";
  }
  std::string call(const std::string& text) {
    auto echo = commands.handler("echo", [this](std::string given, const msgbus::context& about) {
      id = about.message_id();
      correlation = about.correlation_id();
      if (given.empty()) throw std::out_of_range("no text");
      return given;
    });
    auto link = there.serve("users", serves, echo);
    const msgbus::remote_service users(here, "users", asks);
    const msgbus::origin cause{
        .message_id = "m-2",
        .correlation_id = "m-1",
        .headers = {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}};
    const auto shared = std::make_shared<const msgbus::origin>(cause);
    const auto asking = [&] {
      const msgbus::detail::cause_scope scope(&shared);
      return users.execute<std::string>("echo", text);
    };
    std::string got = all.clock.run(all.steps, asking());
    all.steps.run();
    return got;
  }
  [[nodiscard]] const headers& request() const { return tapped->got.at(0).headers; }
  [[nodiscard]] const headers& answer() const { return tapped->got.at(1).headers; }
};

}  // namespace

TEST_CASE("a call with all headers names its chain and its trace", "[B6][B7]") {
  line test;
  CHECK(test.call("tea") == "tea");
  CHECK(names_in(test.request()) == names{"Nats-Msg-Id", "Content-Type", "Msgbus-Correlation-Id",
                                          "Msgbus-Causation-Id", "traceparent"});
  CHECK(names_in(test.answer()) == names{"Nats-Msg-Id", "Content-Type", "Msgbus-Correlation-Id",
                                         "Msgbus-Causation-Id", "traceparent"});
  CHECK(test.answer().get("Msgbus-Causation-Id") == test.id);
  CHECK(test.correlation == "m-1");
}

TEST_CASE("a call with few headers has the id of the request, and a type that is not JSON",
          "[B6]") {
  line test;
  test.asks.form = test.serves.form = header_form::minimal;
  const bool is_json = GENERATE(true, false);
  if (!is_json) test.asks.encoding = test.serves.encoding = encoding::cbor;
  CHECK(test.call("tea") == "tea");
  names of_request{"Nats-Msg-Id", "traceparent"};
  names of_answer{"traceparent"};
  if (!is_json) {
    of_request.insert("Content-Type");
    of_answer.insert("Content-Type");
  }
  CHECK(names_in(test.request()) == of_request);
  CHECK(names_in(test.answer()) == of_answer);
  CHECK(test.request().get("Nats-Msg-Id") == test.id);
}

TEST_CASE("a call without headers is payloads only, and the handler still has an id", "[B6]") {
  line test;
  test.asks.form = test.serves.form = header_form::none;
  CHECK(test.call("tea") == "tea");
  CHECK(test.request().empty());
  CHECK(test.answer().empty());
  CHECK(test.tapped->got[0].payload == "\"tea\"");
  CHECK(test.tapped->got[1].payload == "\"tea\"");
  CHECK_FALSE(test.id.empty());
}

TEST_CASE("requests and answers are CloudEvents where that is asked for", "[B6]") {
  line test;
  test.asks.form = test.serves.form = header_form::cloudevents;
  test.asks.encoding = test.serves.encoding = encoding::cbor;
  CHECK(test.call("tea") == "tea");
  for (const headers* const each : {&test.request(), &test.answer()}) {
    CHECK(names_in(*each) == names{"ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time",
                                   "ce-datacontenttype", "ce-correlationid", "ce-causationid",
                                   "ce-traceparent", "traceparent"});
    CHECK(each->get("ce-datacontenttype") == "application/cbor");
  }
  CHECK(test.request().get("ce-source") == "/shop/front");
  CHECK(test.answer().get("ce-source") == "/shop/users");
  CHECK(test.request().get("ce-type") == "users.echo");
  CHECK(test.answer().get("ce-type") == "users.echo.reply");
  CHECK(test.request().get("ce-id") == test.id);
  CHECK(test.answer().get("ce-causationid") == test.id);
  CHECK(test.correlation == "m-1");
}

TEST_CASE("each end reads every form of the other, and errors have their headers in all", "[B6]") {
  const std::vector forms = {header_form::full, header_form::minimal, header_form::none,
                             header_form::cloudevents};
  for (const header_form of_request : forms) {
    for (const header_form of_answer : forms) {
      line test;
      test.asks.form = of_request;
      test.serves.form = of_answer;
      CHECK(test.call("tea") == "tea");
      line other;
      other.asks.form = of_request;
      other.serves.form = of_answer;
      const auto failure = caught<msgbus::remote_error>([&] { (void)other.call(""); });
      CHECK(failure.kind() == "std::out_of_range");
      CHECK(failure.text() == "no text");
    }
  }
}

}  // namespace call_form_test
