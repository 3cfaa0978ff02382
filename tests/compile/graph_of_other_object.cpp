// A graph has components, hosts and bridges.
#include <msgbus/graph_source.hpp>
#include <msgbus/sync/consumer.hpp>

struct listener {};

int main() {
  msgbus::graph_source all;
#ifdef MSGBUS_CONTROL
  const msgbus::sync::consumer added;
#else
  const listener added;
#endif
  all.add("added", added);
}
