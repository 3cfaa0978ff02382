// The first program of the sync family, moved to the async one.

#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <map>
#include <string>
#include <vector>

namespace first_program_test {

namespace {

struct user {
  int id;
  std::string name;
};
template <class T>
struct created {
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

// `suspends`: handlers give way to others at every opportunity.
asio::awaitable<void> main_program(bool suspends, database& db,
                                   std::vector<std::string>& notifications) {
  namespace bus = msgbus::async;
  const auto executor = co_await asio::this_coro::executor;
  bus::consumer consumer(executor);
  bus::subscriber subscriber(executor);
  bus::service service(executor);

  consumer.handler<created<user>, updated_user>(
      [](const auto& event, msgbus::depends<get_database> users) {
        (*users)[event.entity.id] = event.entity.name;
      });
  consumer.handler([&](const created<user>& event) -> asio::awaitable<void> {
    if (suspends) co_await msgbus_test::hop();
    registration_done done{"User " + std::to_string(event.entity.id) + " registered."};
    co_await consumer.consume(std::move(done));
  });
  consumer.handler([&](const registration_done& event) -> asio::awaitable<void> {
    if (suspends) co_await msgbus_test::hop();
    co_await subscriber.receive(event, "notifications");
  });
  subscriber.subscribe("notifications",
                       [](const registration_done& event, msgbus::depends<get_notifications> sent) {
                         sent->push_back(event.text);
                       });

  auto update = service.handler("update", [&](int id, std::string name) -> asio::awaitable<void> {
    updated_user event{{id, std::move(name)}};
    co_await consumer.consume(std::move(event));
  });

  auto use_db = [&]() -> database& { return db; };
  auto use_notifications = [&]() -> auto& { return notifications; };
  consumer.override(get_database, use_db);
  subscriber.override(get_notifications, use_notifications);

  created<user> event{{1, "Alice"}};
  co_await consumer.consume(std::move(event));
  CHECK(db.at(1) == "Alice");
  co_await update(1, "Alice Updated");
  CHECK(db.at(1) == "Alice Updated");
  co_await service.execute("update", 1, "Alice Again");
}

}  // namespace

TEST_CASE("the first program reads the same in the async family", "[D1][D5]") {
  msgbus::testing::stepping_context context;
  database db;
  std::vector<std::string> notifications;
  context.run(main_program(false, db, notifications));
  CHECK(db == database{{1, "Alice Again"}});
  CHECK(notifications == std::vector<std::string>{"User 1 registered."});
}

TEST_CASE("the first program does the same where handlers suspend", "[D1][D5]") {
  msgbus::testing::stepping_context context;
  database db;
  std::vector<std::string> notifications;
  context.run(main_program(true, db, notifications));
  CHECK(db == database{{1, "Alice Again"}});
  CHECK(notifications == std::vector<std::string>{"User 1 registered."});
}

}  // namespace first_program_test
