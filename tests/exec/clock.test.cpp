#include <msgbus/detail/exec/clock.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

namespace clock_test {

using msgbus::exec::clock;
using msgbus::exec::install_clock;
using msgbus::exec::installed_clock;
using msgbus::exec::now;
using msgbus::exec::rough_now;

namespace {

class stopped_clock : public clock {
 public:
  explicit stopped_clock(std::chrono::hours at) : at_(at) {}
  time_point now() const noexcept override { return at_; }
  bool add(std::shared_ptr<clock_waiter>, time_point) override { return true; }
  void remove(const clock_waiter&) noexcept override {}

 private:
  time_point at_;
};

}  // namespace

TEST_CASE("a context's time is the steady clock's, if nobody gives it another") {
  asio::io_context context;
  CHECK(installed_clock(context.get_executor()) == nullptr);
  const auto before = std::chrono::steady_clock::now();
  const auto between = now(context.get_executor());
  CHECK(before <= between);
  CHECK(between <= std::chrono::steady_clock::now());
}

TEST_CASE("a rough time is not later than the exact one, and does not run backwards") {
  asio::io_context context;
  clock::time_point last{};
  for (int i = 0; i < 1000; ++i) {
    const auto rough = rough_now(context.get_executor());
    REQUIRE(last <= rough);
    REQUIRE(rough <= now(context.get_executor()));
    last = rough;
  }
}

TEST_CASE("a clock is the time of one context, whatever the executor") {
  asio::io_context one, other;
  install_clock(one, std::make_shared<stopped_clock>(std::chrono::hours(5)));
  const clock::time_point five{std::chrono::hours(5)};
  CHECK(now(one.get_executor()) == five);
  CHECK(now(asio::make_strand(one)) == five);
  CHECK(rough_now(one.get_executor()) == five);
  CHECK(installed_clock(other.get_executor()) == nullptr);
  CHECK(now(other.get_executor()) != five);

  install_clock(one, std::make_shared<stopped_clock>(std::chrono::hours(6)));
  CHECK(now(one.get_executor()) == clock::time_point(std::chrono::hours(6)));
  install_clock(one, nullptr);
  CHECK(installed_clock(one.get_executor()) == nullptr);
  CHECK(now(one.get_executor()) != five);
}

TEST_CASE("a thread pool has a time too") {
  asio::thread_pool pool(1);
  install_clock(pool, std::make_shared<stopped_clock>(std::chrono::hours(5)));
  CHECK(now(pool.get_executor()) == clock::time_point(std::chrono::hours(5)));
}

TEST_CASE("a context keeps its clock, and lets it go when it ends", "[A12]") {
  std::weak_ptr<msgbus::exec::clock> watch;
  {
    asio::io_context context;
    auto installed = std::make_shared<stopped_clock>(std::chrono::hours(5));
    watch = installed;
    install_clock(context, std::move(installed));
    CHECK_FALSE(watch.expired());
  }
  CHECK(watch.expired());
}

}  // namespace clock_test
