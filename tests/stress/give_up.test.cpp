// Verbs that are cancelled by one thread while another one begins them.

#include <msgbus/async.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <random>
#include <vector>

namespace give_up_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus_test::hop;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using msgbus_test::rounds;

namespace {

/// One verb: whether it has ended for its caller.
struct asked {
  std::atomic<bool> ended{false};
  std::atomic<int> running{0};
};

struct question {
  std::shared_ptr<asked> what;
};

/// A verb on its way, with what cancels it; used on its strand.
struct call : std::enable_shared_from_this<call> {
  explicit call(asio::thread_pool& on) : strand(asio::make_strand(on.get_executor())) {}

  void start(awaitable<std::size_t> verb) {
    auto ended = [self = shared_from_this()](const std::exception_ptr& thrown, std::size_t) {
      self->late = self->what->running.load() != 0;
      self->what->ended = true;
      self->failure = thrown;
      self->done.set_value();
    };
    asio::co_spawn(strand, std::move(verb),
                   asio::bind_cancellation_slot(signal.slot(), std::move(ended)));
  }
  void cancel() {
    asio::post(strand, [self = shared_from_this()] {
      if (!self->what->ended) self->signal.emit(asio::cancellation_type::terminal);
    });
  }

  asio::strand<asio::thread_pool::executor_type> strand;
  asio::cancellation_signal signal;
  std::shared_ptr<asked> what = std::make_shared<asked>();
  bool late = false;
  std::exception_ptr failure;
  std::promise<void> done;
};

/// Handlers count here what must not be.
struct faults {
  std::atomic<int> begun_late{0};
  std::atomic<int> begun{0};
};

auto handler_of(faults& in) {
  return [&in](const question& each) -> awaitable<void> {
    ++each.what->running;
    ++in.begun;
    if (each.what->ended) ++in.begun_late;
    const std::shared_ptr<void> end(nullptr, [&](void*) { --each.what->running; });
    co_await hop();
  };
}

}  // namespace

TEST_CASE("a verb that is cancelled while it begins either begins and is waited for, or never does",
          "[A1][A7][A9]") {
  for (const int hop_to : {0, 1, 2}) {
    INFO("hop " << hop_to);
    asio::thread_pool callers(2), workers(2);
    faults seen;
    // Elsewhere; here, with a handler that runs elsewhere; and several at once.
    bus::consumer away(workers.get_executor());
    bus::consumer second(workers.get_executor());
    bus::consumer sends_away(workers.get_executor());
    bus::producer both;
    both.bind(away, second);
    away.handler(handler_of(seen));
    second.handler(handler_of(seen));
    msgbus::policy elsewhere;
    elsewhere.executor = callers.get_executor();
    sends_away.handler(handler_of(seen), elsewhere);
    std::minstd_rand random(static_cast<unsigned>(hop_to) + 1);
    const int all = rounds(40);
    int aborted = 0;
    for (int round = 0; round < all; ++round) {
      std::vector<std::shared_ptr<call>> calls;
      for (int i = 0; i < 16; ++i) {
        auto each = std::make_shared<call>(callers);
        question asks{each->what};
        if (hop_to == 0) each->start(away.consume(std::move(asks)));
        if (hop_to == 1) each->start(sends_away.consume(std::move(asks)));
        if (hop_to == 2) each->start(both.dispatch(std::move(asks)));
        calls.push_back(std::move(each));
      }
      for (const auto& each : calls) {
        const auto turns = random() % 200;
        for (auto i = turns; i != 0; --i) std::atomic_signal_fence(std::memory_order_seq_cst);
        each->cancel();
      }
      for (const auto& each : calls) {
        msgbus_test::end_of(each->done.get_future(), "a verb");
        CHECK_FALSE(each->late);
        if (each->failure) {
          CHECK(is_aborted(each->failure));
          ++aborted;
        }
      }
    }
    callers.join();
    workers.join();
    CHECK(seen.begun_late == 0);
    const auto asked = static_cast<std::uint64_t>(all) * 16;
    std::uint64_t offered = 0, settled = 0;
    for (const auto* each : {&away, &second, &sends_away}) {
      const msgbus::counters now = each->stats();
      CHECK(is_conserved(now));
      CHECK(now.failed == 0);
      offered += now.offered;
      settled += now.handled + now.abandoned;
    }
    CHECK(offered <= asked * (hop_to == 2 ? 2 : 1));
    CHECK(offered == settled);
    CHECK(seen.begun >= all * 16 - aborted);  // a verb that has succeeded has begun
  }
}

}  // namespace give_up_test
