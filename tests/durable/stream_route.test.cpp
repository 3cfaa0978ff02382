// Routes to a stream.

#include <msgbus/durable/database.hpp>

#include <msgbus/context.hpp>
#include <msgbus/transport/memory.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"
#include "support/thrown.hpp"

#include <vector>

namespace stream_route_test {

using asio::awaitable;
using msgbus::errc;
using msgbus::async::subscriber;
using msgbus::durable::transaction;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_cancelled;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

struct two_processes {
  loop in;
  temporary_folder folder;
  msgbus::memory_broker broker;
  msgbus::bridge here{broker.connect(in.executor())};
  msgbus::bridge there{broker.connect(in.executor())};
  durable_ptr db = open(in, quick(folder.file()));

  two_processes() {
    msgbus::transport::stream_options stream;
    stream.name = "ORDERS";
    stream.topics = {"orders.>"};
    in.run(here.ensure_stream(stream));
  }
  void place(int id) {
    in.run(db->transaction([id](transaction& t) -> awaitable<void> {
      t.dispatch(order_placed{id, "book"});
      co_return;
    }));
  }
};

}  // namespace

TEST_CASE("messages of a transaction are stored in the stream of their route in order",
          "[R1][R3]") {
  two_processes all;
  subscriber billing(all.in.executor());
  std::vector<int> got;
  std::vector<std::string> types;
  billing.subscribe("orders.placed", [&](const order_placed& event, const msgbus::context& ctx) {
    got.push_back(event.id);
    types.emplace_back(ctx.headers().get(msgbus::header::type));
  });
  msgbus::durable_options options;
  options.stream = "ORDERS";
  options.durable = "billing";
  all.in.run(all.there.durable<order_placed>(billing, "orders.placed", options));
  all.db->route<order_placed>("orders.placed", all.here);
  std::vector<int> expected;
  for (int i = 1; i <= 30; ++i) {
    all.place(i);
    expected.push_back(i);
  }
  all.in.run_until([&] { return got.size() == 30; });
  CHECK(got == expected);
  CHECK(types.front() == msgbus::name_of<order_placed>);
  CHECK(all.in.run(all.db->drain(30s)));
  CHECK(all.in.run(all.db->query("select count(*) from msgbus_outbox")).at(0).get<int>(0) == 0);
}

TEST_CASE("a message that no stream takes is a dead letter with the transport's words", "[R3]") {
  two_processes all;
  all.db->route<order_cancelled>("other.topic", all.here);
  all.in.run(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.dispatch(order_cancelled{1});
    co_return;
  }));
  const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
  std::vector<msgbus::durable::dead_letter> letters;
  while (letters.empty() && std::chrono::steady_clock::now() < until) {
    letters = all.in.run(all.db->dead_letters());
  }
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].attempts == 3);
  CHECK_THAT(letters[0].reason, contains("other.topic"));
}

TEST_CASE("messages for a closed bridge stay in the file for the next start", "[R1]") {
  two_processes all;
  all.db->route<order_placed>("orders.placed", all.here);
  all.here.close();
  all.place(1);
  all.db.reset();
  all.db = open(all.in, quick(all.folder.file()));
  CHECK(all.in.run(all.db->query("select count(*) from msgbus_outbox")).at(0).get<int>(0) == 1);
}

TEST_CASE("a route to a stream has a topic", "[R1]") {
  two_processes all;
  CHECK(code_of([&] { all.db->route<order_placed>("orders.*", all.here); }) == errc::invalid_topic);
}

}  // namespace stream_route_test
