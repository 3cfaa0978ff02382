// A sync operation returns its result: it could not wait for one.
#include <msgbus/sync/service.hpp>

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
  msgbus::sync::service service;
#ifdef MSGBUS_CONTROL
  service.handler("update", [](int) {});
#else
  service.handler("update", [](int) -> task { co_return; });
#endif
}
