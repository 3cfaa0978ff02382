// Links in a graph: each stands between its component and its bridge.

#include <msgbus/detail/bridge/link_base.hpp>
#include <msgbus/detail/bridge/outbound.hpp>
#include <msgbus/detail/observe/graph_builder.hpp>

namespace msgbus::bridging {

void link_base::describe_inbound(msgbus::detail::graph_builder& to, const void* over,
                                 const char* direction,
                                 const async::detail::component_core& receiver) const {
  graph::component& made = to.component(this, "link");
  made.name = name();
  made.detail = direction;
  receiver.describe_to(to, {});
  to.bind(over, this);
  to.bind(this, &receiver);
}

void describe_outbound(msgbus::detail::graph_builder& to, const void* over, const std::string& name,
                       const async::detail::component_core& own) {
  own.describe_to(to, name);
  graph::component& made = to.component(&own, "link");
  made.kind = "link";
  made.detail = "outbound";
  to.bind(&own, over);
}

}  // namespace msgbus::bridging
