// Headers over a real server: those of the library, and unusual ones of other clients.

#include "support/nats_bridges.hpp"

#include "support/catch.hpp"

#include <asio/buffers_iterator.hpp>
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/streambuf.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace nats_headers_test {

using namespace msgbus_test;

namespace {

/// A client with its own protocol code, which can send messages that no library sends.
class foreign_client {
 public:
  explicit foreign_client(const nats_server& to) : socket_(context_) {
    using asio::ip::tcp;
    socket_.connect(
        tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<unsigned short>(to.port())));
    write("CONNECT {\"verbose\":false,\"headers\":true}\r\n");
  }

  /// Returns when the server has received the message.
  void publish(const std::string& topic, const std::string& lines, const std::string& payload) {
    const std::string block = "NATS/1.0\r\n" + lines + "\r\n";
    write("HPUB " + topic + " " + std::to_string(block.size()) + " " +
          std::to_string(block.size() + payload.size()) + "\r\n" + block + payload +
          "\r\nPING\r\n");
    asio::read_until(socket_, received_, "PONG\r\n");
    received_.consume(received_.size());
  }

  /// Returns when the server knows of it.
  void subscribe(const std::string& topic) {
    write("SUB " + topic + " 1\r\nPING\r\n");
    asio::read_until(socket_, received_, "PONG\r\n");
    received_.consume(received_.size());
  }

  /// What comes, up to the end of this text.
  std::string next_until(const std::string& text) {
    const std::size_t size = asio::read_until(socket_, received_, text);
    const auto begin = asio::buffers_begin(received_.data());
    std::string got(begin, begin + static_cast<std::ptrdiff_t>(size));
    received_.consume(size);
    return got;
  }

 private:
  void write(const std::string& text) { asio::write(socket_, asio::buffer(text)); }

  asio::io_context context_;
  asio::ip::tcp::socket socket_;
  asio::streambuf received_;
};

const std::string odd_lines =
    "A/b: x\r\nA-Empty:\r\nB-Next: next\r\nC-Tab: 1\t2\r\nD-Blanks:   x  \r\nZ-Last: last\r\n";

}  // namespace

TEST_CASE("messages with headers that the library would not send are delivered") {
  const nats_server server;
  loop here;
  const auto to = connect(here, server);
  auto sink = std::make_shared<collector>();
  const auto feed = to->subscribe("a", "", sink);
  here.run(to->flush(time_limit));
  foreign_client from(server);
  from.publish("a", odd_lines, "first");
  from.publish("a", "no colon at all\r\n", "second");
  from.publish("a", "", "third");
  const auto got = sink->got.wait_for(3);
  CHECK(payloads_of(got) == std::vector<std::string>{"first", "second", "third"});
  CHECK(got[0].headers.at("A/b") == "x");
  CHECK(got[0].headers.at("Z-Last") == "last");
  // Whatever nats.c makes of an empty value, the header after it is whole.
  CHECK(got[0].headers.at("A-Empty").empty());
  CHECK(got[0].headers.at("B-Next") == "next");
  CHECK(got[0].headers.at("C-Tab") == "1\t2");
  CHECK(got[0].headers.at("D-Blanks") == "x");
}

TEST_CASE("headers are on the wire as the protocol says, one a line and in their order") {
  const nats_server server;
  loop here;
  foreign_client to(server);
  to.subscribe("a");
  const auto from = connect(here, server);
  msgbus::envelope sent{.topic = "a", .headers = {{"Z", "1"}, {"A", "2"}, {"Z", "3: 4"}}};
  sent.payload = "payload";
  from->publish(sent, msgbus::transport::urgency::at_once);
  const std::string block = "NATS/1.0\r\nZ: 1\r\nA: 2\r\nZ: 3: 4\r\n\r\n";
  const std::string sizes =
      std::to_string(block.size()) + " " + std::to_string(block.size() + sent.payload.size());
  CHECK(to.next_until("payload\r\n") ==
        "HMSG a 1 " + sizes + "\r\n" + block + sent.payload + "\r\n");
}

TEST_CASE("headers of any number and length arrive as they were sent") {
  const nats_server server;
  loop here;
  const auto from = connect(here, server);
  const auto to = connect(here, server);
  auto sink = std::make_shared<collector>();
  const auto feed = to->subscribe("a", "", sink);
  here.run(to->flush(time_limit));
  std::vector<msgbus::headers> sent;
  for (const std::size_t size : {1U, 10U, 300U, 490U, 511U, 2000U}) {
    msgbus::envelope one{.topic = "a"};
    for (int i = 0; i < 5; ++i)
      one.headers.add("Name" + std::to_string(i % 3), std::string(size, 'v'));
    sent.push_back(one.headers);
    from->publish(one, msgbus::transport::urgency::bulk);
  }
  const auto got = sink->got.wait_for(sent.size());
  REQUIRE(got.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) CHECK(got[i].headers == sent[i]);
}

TEST_CASE(
    "the dead letter of a message with unusual headers is stored, with its reason and its origin",
    "[B2]") {
  const nats_server server;
  loop here;
  bridge at = join(here, server);
  // given: streams for messages and dead letters
  const auto letters = std::make_shared<collector>();
  const auto listening = connect(here, server);
  const auto feed = listening->subscribe("dead.orders", "", letters);
  here.run(listening->flush(time_limit));
  ensure_stream(here, *at.transport(), "ORDERS", {"orders"});
  ensure_stream(here, *at.transport(), "DEAD", {"dead.>"});
  // when: another program stores a message with unusual headers
  foreign_client from(server);
  from.publish("orders", odd_lines, "no number");
  // when: a link cannot decode it
  subscriber to(here.executor());
  to.subscribe("orders", [](int) {});
  const msgbus::durable_options options{
      .stream = "ORDERS", .durable = "billing", .dead_letter = "dead.orders"};
  const auto link = here.run(at.durable<int>(to, "orders", options));
  here.run_until([&] { return link.stats().dead_lettered == 1; });
  // then: its dead letter has the reason, and the valid headers
  const msgbus::envelope letter = letters->got.wait_for(1)[0];
  CHECK(letter.payload == "no number");
  CHECK_THAT(letter.headers.at("Msgbus-Dead-Reason"), contains("int"));
  CHECK(letter.headers.at("Msgbus-Dead-Stream") == "ORDERS");
  CHECK(letter.headers.at("Msgbus-Dead-Durable") == "billing");
  CHECK(letter.headers.at("Z-Last") == "last");
  CHECK_FALSE(letter.headers.contains("A/b"));
}

TEST_CASE("a handler's messages are sent, with any ids of the message that caused them", "[B7]") {
  const nats_server server;
  loop here;
  bridge at = join(here, server);
  // given: a handler that posts a message for each message
  const auto heard = std::make_shared<collector>();
  const auto listening = connect(here, server);
  const auto feed = listening->subscribe("next", "", heard);
  here.run(listening->flush(time_limit));
  subscriber to(here.executor());
  msgbus::async::publisher on;
  const auto out = at.outbound<int>(on, "next");
  to.subscribe("orders", [&](int number) { (void)on.post(number, "next"); });
  at.inbound<int>(to, "orders");
  here.run(at.flush());
  // when: another program sends a message with invalid ids
  foreign_client from(server);
  from.publish("orders", "Nats-Msg-Id: 1\t2\r\nMsgbus-Correlation-Id: a\x01z\r\n", "7");
  here.run_until([&] { return out.stats().sent + out.stats().unsent == 1; });
  // then: the handler's message is sent, without those ids
  const msgbus::envelope next = heard->got.wait_for(1)[0];
  CHECK(next.payload == "7");
  CHECK_FALSE(next.headers.contains("Msgbus-Causation-Id"));
  CHECK_FALSE(next.headers.contains("Msgbus-Correlation-Id"));
}

TEST_CASE("an exception without a text keeps its type in the reply", "[B6]") {
  const nats_server server;
  loop here;
  bridge front = join(here, server);
  bridge back = join(here, server);
  // given: an operation that throws with a given text
  service users(here.executor());
  std::string text;
  auto remove = users.handler("remove", [&] { throw std::out_of_range(text); });
  auto link = back.serve("users", remove);
  here.run(back.flush());
  const msgbus::remote_service remote(front, "users");
  // then: the remote error has the type, and some text
  for (const char* const each : {"", " ", "\r\n", " x ", "a\r\nb"}) {
    text = each;
    const auto e = caught<msgbus::remote_error>([&] { here.run(remote.execute("remove")); });
    CHECK(e.kind() == "std::out_of_range");
    CHECK_FALSE(e.text().empty());
  }
  CHECK(link.stats().errors == 5);
}

TEST_CASE("a header that cannot be sent is refused before anything is stored", "[B2]") {
  const nats_server server;
  loop here;
  bridge at = join(here, server);
  ensure_stream(here, *at.transport(), "ORDERS", {"orders"});
  const auto refused = [&](const msgbus::store_options& options) {
    const auto store = [&] { (void)here.run(at.store(1, "orders", options)); };
    CHECK(code_of(store) == errc::bad_arguments);
    return text_of(store);
  };
  CHECK_THAT(refused({.headers = {{"A-Tenant", ""}}}), contains("'A-Tenant'"));
  CHECK_THAT(refused({.headers = {{"A-Tenant", " "}}}), contains("'A-Tenant'"));
  CHECK_THAT(refused({.message_id = " id"}), contains("'Nats-Msg-Id'"));
  CHECK_THAT(refused({.message_id = "id\n"}), contains("'Nats-Msg-Id'"));
  const msgbus::store_options good{.message_id = "id", .headers = {{"A-Tenant", "shop"}}};
  CHECK(here.run(at.store(1, "orders", good)).sequence == 1);
}

}  // namespace nats_headers_test
