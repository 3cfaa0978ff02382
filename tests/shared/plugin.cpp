#include "plugin.hpp"

#include <vector>

void attach_plugin(msgbus::sync::consumer& consumer, msgbus::sync::subscriber& subscriber,
                   int& handled) {
  consumer.handler([&](const loaded& event) { handled += event.number; });
  subscriber.subscribe("a", [&](const std::vector<int>& numbers) { handled += numbers.at(0); });
}
