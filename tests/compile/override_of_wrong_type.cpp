// A handler that wants a database cannot be given a string.
#include <msgbus/sync/consumer.hpp>
#include <string>

struct placed {};
struct database {};
inline constexpr msgbus::required<database&> get_database{"database"};

int main() {
  msgbus::sync::consumer consumer;
  static database db;
  static std::string text;
#ifdef MSGBUS_CONTROL
  consumer.override(get_database, []() -> database& { return db; });
#else
  consumer.override(get_database, []() -> std::string& { return text; });
#endif
  (void)text;
}
