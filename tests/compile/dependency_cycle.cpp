// Each would have to be there before the other.
#include <msgbus/sync/consumer.hpp>

struct placed {};

struct first_dependency;
struct second_dependency;
extern const first_dependency get_first;
extern const second_dependency get_second;

struct first_dependency {
  int operator()(msgbus::depends<get_second>) const;
};
struct second_dependency {
#ifdef MSGBUS_CONTROL
  int operator()() const;
#else
  int operator()(msgbus::depends<get_first>) const;
#endif
};
const first_dependency get_first;
const second_dependency get_second;

int first_dependency::operator()(msgbus::depends<get_second>) const { return 1; }
#ifdef MSGBUS_CONTROL
int second_dependency::operator()() const { return 2; }
#else
int second_dependency::operator()(msgbus::depends<get_first>) const { return 2; }
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_first>) {});
}
