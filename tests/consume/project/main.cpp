#include <msgbus/sync.hpp>

#include <cstdio>
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
  const bool stored = db.at(1) == "Alice";
  update(1, "Alice Renamed");
  const bool renamed = db.at(1) == "Alice Renamed";
  service.execute("update", 1, "Alice Updated");
  const bool updated = db.at(1) == "Alice Updated";

  const bool notified = notifications == std::vector<std::string>{"User 1 registered."};
  std::printf("stored %d, renamed %d, updated %d, notified %d\n", stored, renamed, updated,
              notified);
  return stored && renamed && updated && notified ? 0 : 1;
}
