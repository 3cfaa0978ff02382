// A sync component cannot wait for a dependency.
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
#ifdef MSGBUS_CONTROL
int get_value() { return 5; }
#else
task get_value() { co_return; }
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
