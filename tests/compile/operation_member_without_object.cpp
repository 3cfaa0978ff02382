// A member function is called on something, also as an operation.
#include <msgbus/sync/service.hpp>

struct desk {
  int double_of(int n) { return 2 * n; }
};

int main() {
  msgbus::sync::service service;
#ifdef MSGBUS_CONTROL
  desk object;
  service.handler("double", &desk::double_of, object);
#else
  service.handler("double", &desk::double_of);
#endif
}
