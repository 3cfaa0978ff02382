// The spans of messages and commands that go to other processes. docs/design/0033-spans.md

#include <msgbus/bridge/remote_service.hpp>

#include <msgbus/async/host.hpp>

#include "support/shop.hpp"
#include "support/spans.hpp"
#include "support/two_sides.hpp"

namespace spans_test {

using namespace remote_service_test;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::span_status;
using msgbus_test::is_below;
using msgbus_test::kept_spans;

TEST_CASE("a call of a remote service and its serving are spans of one trace") {
  two_sides all;
  const auto spans = std::make_shared<kept_spans>();
  const auto served_spans = std::make_shared<kept_spans>();
  all.here.trace(spans);
  all.commands.trace(served_spans);
  bool has_trace = false;
  auto find = all.commands.handler("find", [&](int id) -> awaitable<int> {
    co_await hop(2);
    has_trace = msgbus::current_span().is_recording();
    if (id == 0) throw std::out_of_range("no user");
    co_return id;
  });
  all.there.serve("users", find);
  CHECK(all.call<int>("find", 1) == 1);
  const span_data called = spans->at("call users.find");
  const span_data served = served_spans->at("process find");
  CHECK(has_trace);
  CHECK(called.kind == span_kind::client);
  CHECK(called.status == span_status::unset);
  CHECK(served.kind == span_kind::server);
  CHECK(is_below(served, called));
  CHECK(code_of([&] { (void)all.call<int>("find", 0); }) == errc::remote_failed);
  CHECK(spans->at("call users.find", 1).status == span_status::error);
  CHECK(served_spans->at("process find", 1).status_text == "no user");
}

TEST_CASE("a message's span goes with it to another process") {
  two_sides all;
  const auto spans = std::make_shared<kept_spans>();
  msgbus::async::host host(all.executor());
  subscriber news(all.executor());
  publisher press;
  host.add("news", news);
  host.add("here", all.here);
  host.trace(spans);
  all.here.outbound<user>(press, "users.>");
  all.there.inbound<user>(news, "users.>");
  int got = 0;
  news.subscribe("users.*", [&](const user&) { ++got; });
  (void)press.post(user{1, "Alice"}, "users.new");
  all.steps.run();
  CHECK(got == 1);
  REQUIRE(spans->size() == 2);
  const span_data sent = spans->at("send users.new");
  CHECK(sent.kind == span_kind::producer);
  CHECK(is_below(spans->at("process users.new"), sent));
  CHECK(msgbus_test::text_of(sent, "messaging.system") == "msgbus");
}

TEST_CASE("a stored message, its handlers and its settling are spans of one trace") {
  msgbus_test::shop all;
  const auto spans = std::make_shared<kept_spans>();
  subscriber to(all.executor());
  to.trace(spans);
  all.stores.trace(spans);
  all.handles.trace(spans);
  int ran = 0;
  to.subscribe("orders.*", [&](int) {
    if (++ran == 1) throw std::runtime_error("not yet");
  });
  all.store(7, "m-7");
  const auto in = all.join(to);
  all.live();
  CHECK(ran == 2);
  CHECK(spans->names() == std::vector<std::string>{"send orders.placed", "process orders.placed",
                                                   "nak orders.placed", "process orders.placed",
                                                   "ack orders.placed"});
  const span_data sent = spans->at("send orders.placed");
  for (const span_data& each : spans->all()) CHECK((each.is_root() || is_below(each, sent)));
  CHECK(spans->at("ack orders.placed").kind == span_kind::client);
  CHECK(msgbus_test::text_of(spans->at("process orders.placed"), "messaging.message.id") == "m-7");
}

}  // namespace spans_test
