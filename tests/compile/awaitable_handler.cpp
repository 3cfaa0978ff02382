// A sync verb returns when its handlers have: it could not wait for a coroutine.
#include <msgbus/sync/consumer.hpp>

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

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {});
#else
  consumer.handler([](const placed&) -> task { co_return; });
#endif
}
