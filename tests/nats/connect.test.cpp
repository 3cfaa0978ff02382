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

}  // namespace connect_test
