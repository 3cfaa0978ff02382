// A class of an application and its tests, without sleeps and without waiting: the test does the
// steps, moves the clock, makes calls fail, and destroys everything at every step.

#include <msgbus/async.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing.hpp>

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace bus = msgbus::async;
namespace kit = msgbus::testing;
using namespace std::chrono_literals;

// --- The application. ----------------------------------------------------------------------------

struct user_registered {
  std::string name;
};

using mail_server = std::function<asio::awaitable<void>(const std::string& to)>;
inline constexpr msgbus::required<mail_server&> get_mail_server{"mail server"};

// Welcomes who has registered. What it needs is a parameter: its executor, its mail server.
class welcome {
 public:
  explicit welcome(const asio::any_io_executor& executor) : events(executor, {.capacity = 2}) {
    const auto greet = [](const user_registered& event, msgbus::depends<get_mail_server> mail) {
      return mail.get()(event.name);
    };
    events.handler(greet, {.timeout = 30s, .retry = {.attempts = 3, .backoff = 1s, .jitter = 0}});
  }

  bus::consumer events;
};

// --- Its tests. ----------------------------------------------------------------------------------

int failures = 0;

void expect(bool right, const char* sentence) {
  std::cout << (right ? "passed: " : "FAILED: ") << sentence << '\n';
  failures += right ? 0 : 1;
}

// A mail server that takes a minute: longer than it is given.
asio::awaitable<void> slow(const std::string&) { return msgbus::async::sleep(1min); }

struct fixture {
  explicit fixture(mail_server with) : server(std::move(with)) {
    tested.events.override(get_mail_server, [this]() -> mail_server& { return server; });
    tested.events.observe(watching);
  }
  kit::stepping_context context;
  kit::manual_clock clock{context};
  kit::probe watching;
  mail_server server;
  welcome tested{context.get_executor()};
};

void a_failing_server_is_asked_again() {
  const auto faults = kit::faults::nth(1).throwing(std::runtime_error("no line"));
  std::string mailed;
  const auto mail = [&](const std::string& to) -> asio::awaitable<void> {
    mailed += to;
    co_return;
  };
  fixture f(faults.wrap(mail));
  const auto begin = f.clock.now();
  const std::size_t ran = f.clock.run(f.context, f.tested.events.consume<user_registered>("Alice"));
  expect(ran == 1 && mailed == "Alice", "a failing server is asked again");
  expect(f.clock.now() - begin == 1s, "after a second");
  expect(msgbus::describe(f.watching.failures().at(0)) == "no line", "and the observer is told");
}

void a_slow_server_makes_senders_wait() {
  fixture f(slow);
  for (const char* name : {"in hand", "waits", "waits too"}) {
    (void)f.tested.events.post<user_registered>(name);
    f.context.run();
  }
  const auto fourth = f.context.spawn(f.tested.events.send<user_registered>("has no room"));
  f.context.run();
  expect(!fourth.done(), "a slow server makes senders wait");
  f.clock.run_for(f.context, 93s);  // three attempts of 30 s, pauses of 1 s and 2 s
  expect(fourth.done() && f.watching.count(kit::seen::failed) == 3, "until it is given up");
}

void a_drain_does_not_wait_for_ever() {
  fixture f(slow);
  (void)f.tested.events.post<user_registered>("Alice");
  (void)f.tested.events.post<user_registered>("Bob");
  const bus::drain_report report = f.clock.run(f.context, f.tested.events.drain(5s));
  expect(report == bus::drain_report{.abandoned = 2}, "a drain does not wait for ever");
}

struct scenario {
  explicit scenario(kit::stepping_context& context)
      : clock(context), tested(context.get_executor()) {
    // A handler that is suspended runs on without this object: it must not refer to it.
    tested.events.override(
        get_mail_server,
        [server = std::make_shared<mail_server>(slow)]() -> mail_server& { return *server; });
    tested.events.observe(kit::probe());
    for (const char* name : {"Alice", "Bob"}) (void)tested.events.post<user_registered>(name);
  }
  bool when_idle() { return clock.advance_to_next(); }

  kit::manual_clock clock;
  welcome tested;
};

void it_may_go_at_any_moment() {
  const auto report =
      kit::cut_off_at_every_step([](kit::stepping_context& context) { return scenario(context); });
  expect(report.cuts > 0 && report.cuts == 3 * report.steps, "it may go at any moment");
}

int main() {
  a_failing_server_is_asked_again();
  a_slow_server_makes_senders_wait();
  a_drain_does_not_wait_for_ever();
  it_may_go_at_any_moment();
  return failures == 0 ? 0 : 1;
}
