// Messages are sent to topics; subscribers name the topics they want, with wildcards if they like.

#include <msgbus/sync.hpp>

#include <iostream>

struct temperature {
  double celsius;
};
struct door_opened {};

// A topic and its type, bound together: another type does not compile.
inline constexpr msgbus::topic<temperature> outside{"sensors.outside.temperature"};

int main() {
  msgbus::sync::subscriber display, log;

  // `*` is one token.
  display.subscribe(
      "sensors.*.temperature", [](const temperature& message, const msgbus::context& context) {
        std::cout << "display: " << context.topic() << " is " << message.celsius << '\n';
      });

  // A last `>` is one token or more. `any_event` takes messages of every type.
  log.subscribe("sensors.>", [](msgbus::any_event message, const msgbus::context& context) {
    std::cout << "log: a " << message.name() << " on " << context.topic() << '\n';
  });

  msgbus::sync::publisher publisher;
  publisher.bind(display, log);

  publisher.publish(temperature{21.5}, "sensors.kitchen.temperature");
  publisher.publish(door_opened{}, "sensors.kitchen.door");
  publisher.publish(temperature{-3.0}, outside);

  std::cout << "handlers of another topic: " << publisher.publish(door_opened{}, "alarm") << '\n';

  try {
    publisher.publish(temperature{0.0}, "sensors.*.temperature");
  } catch (const msgbus::error& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
}
