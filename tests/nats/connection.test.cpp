#include "nats/connection.hpp"

#include "support/catch.hpp"
#include "support/loop.hpp"
#include "support/thread_group.hpp"

#include <asio/ip/tcp.hpp>

#include <future>
#include <memory>
#include <string>

namespace connection_test {

using msgbus::errc;
using msgbus::nats::connection;
using msgbus::nats::message_ptr;
using msgbus::nats::options;
using msgbus::nats::role;
using msgbus::nats::subscription;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::deadline;
using msgbus_test::event;
using msgbus_test::kept;

namespace {

using asio::ip::tcp;

/// The server's end of one connection, line by line.
class one_client {
 public:
  /// Accepts it, and answers its greeting.
  explicit one_client(tcp::acceptor& at) {
    at.accept(lines_.socket());
    lines_.expires_after(msgbus_test::deadline);
    const std::string port = std::to_string(at.local_endpoint().port());
    say(R"(INFO {"server_id":"X","version":"2.9.10","proto":1,"headers":true,)"
        R"("max_payload":1048576,"host":"127.0.0.1","port":)" +
        port + "}");
    CHECK_THAT(next(), contains("CONNECT"));
    answer_ping();
  }
  std::string next() {
    std::string line;
    std::getline(lines_, line);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }
  void say(const std::string& line) { lines_ << line << "\r\n" << std::flush; }
  void answer_ping() {
    CHECK(next() == "PING");
    say("PONG");
  }

 private:
  tcp::iostream lines_;
};

class told final : public msgbus::nats::connection_listener {
 public:
  void lost(role, std::string) override {}
  void back(role, std::string text) override { backs.add(std::move(text)); }
  void ended(role, std::string) override {}
  void slow(std::string) override {}
  void failed(std::string) override {}
  kept<std::string> backs;
};

/// Blocks nats.c's thread until `let_go` is set.
class blocking final : public msgbus::nats::receiver {
 public:
  void take(message_ptr) noexcept override {
    came.set();
    let_go.wait();
  }
  /// After the message, and by nats.c's last call.
  void caught_up() noexcept override {
    if (++times_ == 2) left.set();
  }
  event came;
  event let_go;
  event left;

 private:
  int times_ = 0;
};

/// A connection to a server that the test plays, with subscriptions to a, b and c, of which b and c
/// handle a message. Then the server ends the connection by an error.
struct lost_by_an_error {
  explicit lost_by_an_error(connection::limits within) {
    how.url = "nats://127.0.0.1:" + std::to_string(server.local_endpoint().port());
    how.reconnect_wait = std::chrono::milliseconds(1);
    auto connecting = std::async(std::launch::async, [&] {
      return connection::connect(how, role::low_latency, listener, within);
    });
    one_client first(server);
    over = connecting.get();
    a = subscription::open(over, "a", "", 0, std::make_shared<blocking>());
    b = subscription::open(over, "b", "", 0, b_receiver);
    c = subscription::open(over, "c", "", 0, c_receiver);
    for (const char* const each : {"SUB a", "SUB b", "SUB c"}) {
      CHECK_THAT(first.next(), contains(each));
    }
    first.say("MSG b 2 1\r\nx\r\nMSG c 3 1\r\nx");
    b_receiver->came.wait();
    c_receiver->came.wait();
    first.say("-ERR 'an error that ends the connection'");
  }
  void let_go() {
    b_receiver->let_go.set();
    c_receiver->let_go.set();
    b_receiver->left.wait();
    c_receiver->left.wait();
  }

  asio::io_context context;
  tcp::acceptor server{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  const std::shared_ptr<told> listener = std::make_shared<told>();
  const std::shared_ptr<blocking> b_receiver = std::make_shared<blocking>();
  const std::shared_ptr<blocking> c_receiver = std::make_shared<blocking>();
  options how;
  std::shared_ptr<connection> over;
  std::shared_ptr<subscription> a, b, c;
};

constexpr connection::limits long_ones{deadline, deadline};

}  // namespace

TEST_CASE(
    "after an error of the server, subscriptions whose receivers were busy also come one by one",
    "[B9]") {
  lost_by_an_error bed(long_ones);
  // when: the receivers return after the new connection has sent its first subscription
  one_client second(bed.server);
  CHECK_THAT(second.next(), contains("SUB a"));
  CHECK(second.next() == "PING");
  bed.let_go();
  second.say("PONG");
  // then: the others follow in order, each alone, and it is told to be back after the last
  CHECK_THAT(second.next(), contains("SUB b"));
  second.answer_ping();
  CHECK_THAT(second.next(), contains("SUB c"));
  CHECK(bed.listener->backs.size() == 0);
  second.answer_ping();
  (void)bed.listener->backs.wait_for(1);
  bed.over->close(0);
}

TEST_CASE("a receiver that is busy for too long holds up no other subscription", "[B9]") {
  lost_by_an_error bed({deadline, std::chrono::milliseconds(0)});
  one_client second(bed.server);
  CHECK_THAT(second.next(), contains("SUB a"));
  second.answer_ping();
  (void)bed.listener->backs.wait_for(1);
  bed.let_go();
  const std::string one = second.next();  // by nats.c's last call for the former connection
  const std::string other = second.next();
  CHECK_THAT(one + other, contains("SUB b") && contains("SUB c"));
  bed.over->close(0);
}

TEST_CASE("a subscription that is opened during a search is there before what is then published",
          "[B9]") {
  lost_by_an_error bed({deadline, std::chrono::milliseconds(0)});
  one_client second(bed.server);
  CHECK_THAT(second.next(), contains("SUB a"));
  CHECK(second.next() == "PING");
  const auto inbox = subscription::open(bed.over, "inbox", "", 0, std::make_shared<blocking>());
  bed.over->publish(msgbus::envelope{.topic = "question"}, "inbox");
  second.say("PONG");
  CHECK_THAT(second.next(), contains("SUB inbox"));
  second.answer_ping();
  CHECK_THAT(second.next(), contains("PUB question"));
  bed.let_go();
  bed.over->close(0);
}

TEST_CASE("a subscription to a connection that has ended during a search is refused", "[B9]") {
  lost_by_an_error bed(long_ones);
  one_client second(bed.server);
  CHECK_THAT(second.next(), contains("SUB a"));
  CHECK(second.next() == "PING");
  bed.over->close(0);
  bed.let_go();
  CHECK(code_of([&] {
          (void)subscription::open(bed.over, "d", "", 0, std::make_shared<blocking>());
        }) == errc::closed);
}

}  // namespace connection_test
