// A handler that changes the database would change a copy.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct database {
  int orders = 0;
};
inline constexpr msgbus::required<database&> get_database{"database"};

int main() {
  msgbus::sync::consumer consumer;
  static database db;
#ifdef MSGBUS_CONTROL
  consumer.override(get_database, []() -> database& { return db; });
#else
  consumer.override(get_database, [] { return db; });
#endif
  consumer.handler([](const placed&, msgbus::depends<get_database> used) { ++used->orders; });
}
