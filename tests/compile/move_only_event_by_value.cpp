// A handler that takes its event by value gets a copy.
#include <msgbus/sync/consumer.hpp>
#include <memory>

struct placed {
  std::unique_ptr<int> id;
};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {});
#else
  consumer.handler([](placed) {});
#endif
}
