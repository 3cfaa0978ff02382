#include <msgbus/nats/connect.hpp>

#include "support/catch.hpp"
#include "support/loop.hpp"
#include "support/thrown.hpp"

namespace connect_test {

using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

TEST_CASE(
    "connecting without a server fails at once, and the error names the url without the password") {
  msgbus_test::loop here;
  msgbus::nats::options nowhere;
  nowhere.url = "nats://somebody:secret@127.0.0.1:1";
  const auto connect = [&] { (void)here.run(msgbus::nats::connect(here.executor(), nowhere)); };
  CHECK(code_of(connect) == msgbus::errc::disconnected);
  CHECK_THAT(text_of(connect), contains("127.0.0.1:1"));
  CHECK_THAT(text_of(connect), !contains("secret"));
}

TEST_CASE("connect and open take a context where they take an executor") {
  msgbus::nats::options nowhere;
  nowhere.url = "nats://127.0.0.1:1";
  asio::io_context io;
  msgbus::testing::spawned<msgbus::bridge> plain(io, msgbus::nats::connect(io, nowhere));
  msgbus::testing::spawned<msgbus::bridge> named(
      io, msgbus::nats::connect(io, nowhere, {.on_failure = {}}));
  msgbus::testing::spawned<std::shared_ptr<msgbus::transport::transport>> bare(
      io, msgbus::nats::open(io, nowhere));
  io.run();
  CHECK(code_of([&] { (void)plain.get(); }) == msgbus::errc::disconnected);
  CHECK(code_of([&] { (void)named.get(); }) == msgbus::errc::disconnected);
  CHECK(code_of([&] { (void)bare.get(); }) == msgbus::errc::disconnected);
}

}  // namespace connect_test
