#include <msgbus/detail/exec/context_shutdown_hook.hpp>

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

namespace context_shutdown_hook_test {

using msgbus::exec::context_shutdown_hook;
using msgbus::testing::stepping_context;

namespace {

struct listener final : context_shutdown_hook {
  explicit listener(int& to) : ended(to) {}
  using context_shutdown_hook::adopt_hold;
  using context_shutdown_hook::unlink_and_hold;
  using context_shutdown_hook::unlink_and_release;
  void context_ended() noexcept override {
    ++ended;
    goes.reset();
  }
  int& ended;
  std::unique_ptr<listener> goes;  // with the first one that is told
};

}  // namespace

TEST_CASE("a hook is notified once of the end of its context", "[A12]") {
  int ended = 0;
  listener linked(ended);
  {
    stepping_context context;
    CHECK(linked.link(context.get_executor()));
    CHECK(ended == 0);
  }
  CHECK(ended == 1);
  linked.unlink();
  CHECK(ended == 1);
}

TEST_CASE("an empty executor has no context that could end", "[A12]") {
  int ended = 0;
  listener linked(ended);
  CHECK_FALSE(linked.link(asio::any_io_executor()));
  linked.unlink();
  CHECK(ended == 0);
  CHECK_FALSE(msgbus::exec::installed_clock(asio::any_io_executor()));
}

TEST_CASE("an object that goes releases its executor while the context is there", "[A12]") {
  int ended = 0;
  auto context = std::make_unique<asio::io_context>();
  asio::any_io_executor held = asio::make_strand(*context);
  {
    listener linked(ended);
    CHECK(linked.link(held));
    linked.unlink_and_release(held);
    CHECK_FALSE(held);
  }
  context.reset();
  CHECK(ended == 0);
}

TEST_CASE("any context notifies its hooks", "[A12]") {
  int ended = 0;
  listener one(ended), two(ended);
  {
    asio::io_context context;
    asio::thread_pool pool(1);
    CHECK(one.link(context.get_executor()));
    CHECK(two.link(pool.get_executor()));
  }
  CHECK(ended == 2);
}

TEST_CASE("a hook that was unlinked, linked elsewhere or destroyed is not notified", "[A12]") {
  int ended = 0;
  listener unlinked(ended), moved(ended);
  stepping_context other;
  {
    stepping_context context;
    auto destroyed = std::make_unique<listener>(ended);
    CHECK(unlinked.link(context.get_executor()));
    CHECK(moved.link(context.get_executor()));
    CHECK(destroyed->link(context.get_executor()));
    unlinked.unlink();
    CHECK(moved.link(other.get_executor()));
    destroyed.reset();
  }
  CHECK(ended == 0);
}

TEST_CASE("a notified hook may destroy others", "[A12]") {
  int ended = 0;
  listener first(ended), second(ended);
  {
    stepping_context context;
    first.goes = std::make_unique<listener>(ended);
    CHECK(first.goes->link(context.get_executor()));
    CHECK(first.link(context.get_executor()));
    CHECK(second.link(context.get_executor()));
  }
  CHECK(ended == 2);
}

TEST_CASE("unlinking waits for the thread that notifies of the end", "[A12]") {
  struct slow final : context_shutdown_hook {
    void context_ended() noexcept override {
      operation_report.set();
      unlinking.wait();
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      told = true;
    }
    msgbus_test::event operation_report, unlinking;
    std::atomic<bool> told{false};
  };
  slow linked;
  std::optional<asio::io_context> context(std::in_place);
  REQUIRE(linked.link(context->get_executor()));
  std::thread ending([&] { context.reset(); });
  linked.operation_report.wait();
  linked.unlinking.set();
  linked.unlink();
  CHECK(linked.told);  // who destroys it now destroys nothing that is in use
  ending.join();
}

TEST_CASE("a hook delays the end of its context, once", "[A12]") {
  int ended = 0;
  listener linked(ended);
  CHECK_FALSE(linked.unlink_and_hold());
  {
    asio::io_context context;
    REQUIRE(linked.link(context.get_executor()));
    REQUIRE(linked.unlink_and_hold());
    (void)linked.adopt_hold();
    CHECK_FALSE(linked.unlink_and_hold());
  }
  CHECK(ended == 0);
  {
    asio::io_context context;
    REQUIRE(linked.link(context.get_executor()));
  }
  CHECK(ended == 1);
  CHECK_FALSE(linked.unlink_and_hold());
}

TEST_CASE("a context that is held does not end before it is let go", "[A12]") {
  struct noting final : context_shutdown_hook {
    explicit noting(std::atomic<bool>& flag) : done(flag) {}
    void context_ended() noexcept override { seen = done.load(); }
    std::atomic<bool>& done;
    bool seen = false;
  };
  int ended = 0;
  std::atomic<bool> done{false};
  listener holding(ended);
  noting last(done);
  auto context = std::make_unique<asio::io_context>();
  CHECK(holding.link(context->get_executor()));
  CHECK(last.link(context->get_executor()));
  REQUIRE(holding.unlink_and_hold());
  CHECK_FALSE(holding.unlink_and_hold());  // it is linked no more
  msgbus_test::event begun;
  std::thread other([&] {
    begun.set();
    context.reset();
  });
  begun.wait();
  {
    const auto held = holding.adopt_hold();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    done = true;
  }
  other.join();
  CHECK(last.seen);
  CHECK(ended == 0);
}

}  // namespace context_shutdown_hook_test
