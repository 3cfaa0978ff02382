#include "exec/join_state.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace join_state_test {

using msgbus::exec::child_executor;
using msgbus::exec::is_aborted;
using msgbus::testing::stepping_context;

namespace {

/// Does as much as it is told without a coroutine, and the rest in one.
struct step final : msgbus::exec::task {
  asio::awaitable<void> begin() override {
    log += 'b';
    if (throws) throw std::runtime_error("no luck");
    if (hops == 0) return {};
    return rest();
  }
  void drop() noexcept override { log += 'd'; }
  asio::awaitable<void> rest() {
    co_await msgbus_test::hop(hops);
    log += 'e';
  }

  std::string log;
  int hops = 0;
  bool throws = false;
};

struct steps final : msgbus::exec::join_state {
  step first, second;
};

asio::awaitable<void> until_done(std::shared_ptr<steps> all, std::string& log) {
  while (auto* const done = all->until_done()) co_await done->wait();
  log += '.';
}

asio::any_io_executor strand_over(const asio::any_io_executor& executor) {
  return child_executor(executor, executor, true);
}

}  // namespace

TEST_CASE("a task that needs no coroutine ends within the function that begins it") {
  stepping_context here, there;
  std::string log;
  const auto all = std::make_shared<steps>();
  all->start(all->first, there.get_executor());
  const auto waiting = here.spawn(until_done(all, log));
  here.run();
  CHECK(log.empty());
  CHECK(there.run() == 1);
  CHECK(all->first.log == "b");
  here.run();
  CHECK(log == ".");
  CHECK_FALSE(all->failure(all->first));
}

TEST_CASE("the owner waits for functions and coroutines, and sees the exceptions of both",
          "[A1][D2]") {
  stepping_context context;
  std::string log;
  const auto all = std::make_shared<steps>();
  all->first.throws = true;
  all->second.hops = 3;
  all->start(all->first, context.get_executor());
  all->start(all->second, context.get_executor());
  context.run(until_done(all, log));
  CHECK(log == ".");
  CHECK(all->second.log == "be");
  CHECK_THROWS_WITH(std::rethrow_exception(all->failure(all->first)), "no luck");
  CHECK_FALSE(all->failure(all->second));
}

TEST_CASE("a task that is cancelled between its two steps of starting never begins", "[A9]") {
  stepping_context context;
  std::string log;
  const auto all = std::make_shared<steps>();
  const auto on = strand_over(context.get_executor());
  all->add(all->first, on);
  const auto waiting = context.spawn(until_done(all, log));
  context.run();
  CHECK(log.empty());
  all->cancel(asio::cancellation_type::terminal);
  context.run();
  CHECK(log == ".");
  all->launch(all->first, on);
  context.run();
  CHECK(all->first.log == "d");
  CHECK(all->was_given_up(all->first));
  CHECK(is_aborted(all->failure(all->first)));
}

TEST_CASE("a function that is destroyed with its context has ended its task", "[A12]") {
  stepping_context here;
  std::optional<stepping_context> there(std::in_place);
  std::string log;
  const auto all = std::make_shared<steps>();
  SECTION("on the executor itself") { all->start(all->first, there->get_executor()); }
  SECTION("on a mailbox strand over it") {
    all->start(all->first, strand_over(there->get_executor()));
  }
  const auto waiting = here.spawn(until_done(all, log));
  here.run();
  there.reset();
  here.run();
  CHECK(log == ".");
  CHECK(all->first.log.empty());
  CHECK(is_aborted(all->failure(all->first)));
}

TEST_CASE("tasks keep their join state, and nothing keeps it when they have ended", "[A12]") {
  std::optional<stepping_context> there(std::in_place);
  auto all = std::make_shared<steps>();
  const std::weak_ptr<steps> seen = all;
  all->second.hops = 2;
  all->start(all->first, there->get_executor());
  all->start(all->second, strand_over(there->get_executor()));
  all.reset();
  CHECK_FALSE(seen.expired());
  SECTION("because they have run") { there->run(); }
  SECTION("because their context has been destroyed") { there.reset(); }
  CHECK(seen.expired());
}

}  // namespace join_state_test
