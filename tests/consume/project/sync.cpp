// The least that shows that headers, library and package fit together.

#include <msgbus/sync.hpp>

#include <string>

struct greeted {
  std::string name;
};

int main() {
  msgbus::sync::consumer consumer;
  msgbus::sync::service service;
  std::string last;
  consumer.handler([&](const greeted& event) { last = event.name; });
  service.handler("greet",
                  [&](std::string name) { return consumer.consume(greeted{std::move(name)}); });
  return service.execute<int>("greet", "Ada") == 1 && last == "Ada" ? 0 : 1;
}
