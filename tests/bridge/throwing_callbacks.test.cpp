// What callbacks of the user's throw where nobody waits for it.

#include <msgbus/bridge.hpp>
#include <msgbus/detail/bridge/hub.hpp>
#include <msgbus/transport/memory.hpp>

#include "nats/session.hpp"
#include "support/catch.hpp"
#include "support/stderr_of.hpp"

#include <asio/io_context.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace throwing_callbacks_test {

using msgbus_test::stderr_of;

TEST_CASE(
    "an exception of on_failure is a line on stderr beside the failure, and goes no further") {
  asio::io_context io;
  msgbus::memory_broker broker;
  const msgbus::bridging::hub hub(
      broker.connect(io.get_executor()),
      [](std::string_view, const std::exception_ptr&) { throw std::runtime_error("disk\nfull"); });
  const auto failure = std::make_exception_ptr(std::runtime_error("no answer"));
  CHECK(stderr_of([&] { hub.failed("service 'a\rb'", failure); }) ==
        "msgbus: service 'a\\rb' failed: no answer\n"
        "msgbus: on_failure threw an exception, which it must not do: disk\\nfull\n");
}

TEST_CASE("without on_failure a failure is one line on stderr") {
  asio::io_context io;
  msgbus::memory_broker broker;
  const msgbus::bridging::hub hub(broker.connect(io.get_executor()), {});
  const auto failure = std::make_exception_ptr(std::runtime_error("two\nlines"));
  CHECK(stderr_of([&] { hub.failed("link", failure); }) ==
        "msgbus: link failed, and bridge_options::on_failure is not set: two\\nlines\n");
}

TEST_CASE("an exception of on_event is a line on stderr, and the next event is reported") {
  asio::io_context io;
  std::vector<std::string> told;
  msgbus::nats::events events(io.get_executor(), [&](const msgbus::nats::event& each) {
    told.push_back(each.text);
    throw std::runtime_error("no room");
  });
  const std::string line =
      "msgbus: an on_event threw an exception, which it must not do: no room\n";
  CHECK(stderr_of([&] {
          events.tell(msgbus::nats::event::kind::failed, "subject a\r\nb");
          events.tell(msgbus::nats::event::kind::closed, "done");
          io.run();
        }) == line + line);
  CHECK(told == std::vector<std::string>{"subject a\\r\\nb", "done"});
}

}  // namespace throwing_callbacks_test
