#pragma once

/// What Asio itself has to hand messages from one thread to another, and the threads that msgbus's
/// async family runs on.

#include "across.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/experimental/concurrent_channel.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>

namespace bench {

/// An io_context, and the thread that runs it until it is out of work.
class context_thread {
 public:
  explicit context_thread(unsigned core)
      : thread_([this, core] {
          stay_on(core);
          context_.run();
        }) {}
  ~context_thread() {
    work_.reset();
    thread_.join();
  }
  context_thread(const context_thread&) = delete;

  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] asio::any_io_executor executor() noexcept { return context_.get_executor(); }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;
};

/// The completion of coroutines that must not fail.
inline constexpr auto must_succeed = [](std::exception_ptr failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "\na coroutine failed: %s\n", e.what());
  }
  std::_Exit(1);
};

/// Runs a coroutine to its end, on this thread.
inline void run_here(asio::io_context& context, asio::awaitable<void> what) {
  context.restart();
  asio::co_spawn(context, std::move(what), must_succeed);
  context.run();
}

/// A function object for each message, posted to the other thread's io_context.
class asio_post {
 public:
  static constexpr const char* name = "asio::post to an io_context";
  static constexpr role what = role::peer;

  asio_post(tally& count, unsigned /*producers*/, unsigned core) : count_(count), there_(core) {}

  void send(unsigned /*producer*/, const order_created& event) {
    asio::post(there_.context(), [&count = count_, event] { count.handled(event); });
  }

 private:
  tally& count_;
  context_thread there_;
};

/// The same by way of a strand, which one has where several threads run the io_context.
class asio_strand {
 public:
  static constexpr const char* name = "asio::post to a strand";
  static constexpr role what = role::peer;

  asio_strand(tally& count, unsigned /*producers*/, unsigned core)
      : count_(count), there_(core), strand_(asio::make_strand(there_.context())) {}

  void send(unsigned /*producer*/, const order_created& event) {
    asio::post(strand_, [&count = count_, event] { count.handled(event); });
  }

 private:
  tally& count_;
  context_thread there_;
  asio::strand<asio::io_context::executor_type> strand_;
};

/// A channel with as many places as a mailbox has by default, and a coroutine that receives.
template <class Tally>
class asio_channel_to {
 public:
  static constexpr const char* name = "asio concurrent_channel";
  static constexpr role what = role::peer;

  using channel = asio::experimental::concurrent_channel<void(asio::error_code, order_created)>;

  asio_channel_to(Tally& count, unsigned /*producers*/, unsigned core)
      : there_(core), channel_(there_.executor(), 1024) {
    asio::co_spawn(there_.context(), receive(count), must_succeed);
  }
  ~asio_channel_to() {
    while (!channel_.try_send(asio::error_code{}, order_created{last, 0})) {
      std::this_thread::yield();
    }
    while (!is_over_) std::this_thread::yield();
  }
  asio_channel_to(const asio_channel_to&) = delete;

  void send(unsigned /*producer*/, const order_created& event) {
    patience with;
    while (!channel_.try_send(asio::error_code{}, event)) with.wait();
  }
  asio::awaitable<void> async_send(order_created event) {
    return channel_.async_send(asio::error_code{}, event, asio::use_awaitable);
  }

 private:
  static constexpr std::uint64_t last = UINT64_MAX;

  asio::awaitable<void> receive(Tally& count) {
    for (;;) {
      const order_created event = co_await channel_.async_receive(asio::use_awaitable);
      if (event.id == last) break;
      count.handled(event);
    }
    is_over_ = true;
  }

  context_thread there_;
  std::atomic<bool> is_over_{false};
  channel channel_;
};
using asio_channel = asio_channel_to<tally>;

}  // namespace bench
