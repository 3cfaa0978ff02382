// A literal is an array of just its own length, which no handler takes.
#include <msgbus/sync/consumer.hpp>
#include <string>

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.consume(std::string("registered"));
#else
  consumer.consume("registered");
#endif
}
