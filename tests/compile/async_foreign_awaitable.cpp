// A coroutine of another kind would never be awaited as Asio awaits.
#include <msgbus/async/consumer.hpp>

struct placed {};
struct task {
  struct promise_type {
    task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};
#ifdef MSGBUS_CONTROL
using result = asio::awaitable<void>;
#else
using result = task;
#endif

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&) -> result { co_return; });
}
