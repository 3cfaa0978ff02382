// A consumer that keeps a database up to date, a subscriber that collects notifications, and a
// service that offers a command: three components that know nothing of each other's handlers.

#include <msgbus/sync.hpp>

#include <iostream>
#include <map>
#include <string>
#include <vector>

struct user {
  int id;
  std::string name;
};
template <class T> struct created {
  T entity;
};
struct updated_user {
  user entity;
};
struct registration_done {
  std::string text;
};

using database = std::map<int, std::string>;
inline constexpr msgbus::required<database&> get_database{"database"};
inline constexpr msgbus::required<std::vector<std::string>&> get_notifications{"notifications"};

int main() {
  namespace bus = msgbus::sync;
  bus::consumer consumer;
  bus::subscriber subscriber;
  bus::service service;

  consumer.handler<created<user>, updated_user>(
      [](const auto& event, msgbus::depends<get_database> db) {
        (*db)[event.entity.id] = event.entity.name;
      });
  consumer.handler([&](const created<user>& event) {
    consumer.consume(registration_done{"User " + std::to_string(event.entity.id) + " registered."});
  });
  consumer.handler(
      [&](const registration_done& event) { subscriber.receive(event, "notifications"); });
  subscriber.subscribe("notifications",
                       [](const registration_done& event, msgbus::depends<get_notifications> sent) {
                         sent->push_back(event.text);
                       });

  auto update = service.handler(
      "update", [&](int id, std::string name) { consumer.consume(updated_user{{id, name}}); });

  database db;
  std::vector<std::string> notifications;
  consumer.override(get_database, [&]() -> database& { return db; });
  subscriber.override(get_notifications, [&]() -> auto& { return notifications; });

  consumer.consume(created<user>{{1, "Alice"}});
  std::cout << db[1] << ", " << notifications.at(0) << '\n';
  update(1, "Alice Updated");  // or by name:
  service.execute("update", 1, "Alice Updated");
  std::cout << db[1] << '\n';
}
