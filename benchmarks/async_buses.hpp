#pragma once

/// The async family, as a way from one thread to another.

#include <msgbus/async.hpp>

#include "across.hpp"
#include "peer_asio.hpp"

#include <cstddef>

namespace bench {

/// A consumer on another thread, and a plain handler. Who finds its mailbox full tries again.
class posting {
 public:
  static constexpr const char* name = "msgbus consumer.post";
  static constexpr role what = role::project;

  posting(tally& count, unsigned /*producers*/, unsigned core, std::size_t capacity = 1024)
      : there_(core), bus_(there_.executor(), {.capacity = capacity}) {
    bus_.handler([&count](const order_created& event) { count.handled(event); });
  }

  void send(unsigned /*producer*/, const order_created& event) {
    patience with;
    while (bus_.post(event).rejected > 0) with.wait();
  }

 private:
  context_thread there_;
  msgbus::async::consumer bus_;
};

/// The same with `co_await send`, which waits where the mailbox is full.
template <class Tally>
class sending_to {
 public:
  static constexpr const char* name = "msgbus consumer.send";
  static constexpr role what = role::project;

  sending_to(Tally& count, unsigned /*producers*/, unsigned core, bool with_coroutine,
             std::size_t capacity = 1024)
      : there_(core), bus_(there_.executor(), {.capacity = capacity}) {
    if (with_coroutine) {
      bus_.handler([&count](const order_created& event) -> asio::awaitable<void> {
        count.handled(event);
        co_return;
      });
    } else {
      bus_.handler([&count](const order_created& event) { count.handled(event); });
    }
  }

  asio::awaitable<msgbus::async::receipt> async_send(order_created event) {
    return bus_.send(event);
  }

 private:
  context_thread there_;
  msgbus::async::consumer bus_;
};

}  // namespace bench
