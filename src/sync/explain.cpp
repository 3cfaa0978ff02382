// Why messages reach handlers of sync components.

#include <msgbus/sync/explain.hpp>

#include "component/explain.hpp"
#include "observe/graph_builder.hpp"

#include <string>
#include <utility>

namespace msgbus::sync::detail {

namespace {

using component::receiver;

template <class Core>
receiver receiver_of(const Core& core, std::string label) {
  receiver made;
  made.label = std::move(label);
  made.handlers = core.described_handlers();
  return made;
}

std::string numbered(const char* kind, std::size_t number, std::size_t of) {
  return of == 1 ? std::string("the ") + kind
                 : std::string(kind) + ' ' + std::to_string(number) + " of " + std::to_string(of);
}

/// `each(receiver)` for every bound component.
template <class Core, class Each>
void for_each_receiver(const Core& core, const char* kind, Each each) {
  const auto bound = core.bound();
  for (std::size_t i = 0; i < bound.size(); ++i) {
    each(receiver_of(*bound[i], numbered(kind, i + 1, bound.size())));
  }
}

}  // namespace

explanation explain_event(const consumer_core& core, type_key type) {
  explanation made;
  made.question = std::string(type->name) + ", consumed by the consumer";
  component::explain_event(made, receiver_of(core, "the consumer"), type);
  return made;
}

explanation explain_event(const producer_core& core, type_key type) {
  explanation made;
  made.question = std::string(type->name) + ", dispatched by the producer";
  bool any = false;
  for_each_receiver(core, "consumer", [&](const receiver& each) {
    any = true;
    component::explain_event(made, each, type);
  });
  component::conclude(made, any, "the producer");
  return made;
}

explanation explain_message(const subscriber_core& core, std::string_view topic, type_key type) {
  explanation made = component::ask(topic, type, "received by the subscriber");
  if (component::check_topic(made, topic)) {
    component::explain_message(made, receiver_of(core, "the subscriber"), topic, type);
  }
  return made;
}

explanation explain_message(const publisher_core& core, std::string_view topic, type_key type) {
  explanation made = component::ask(topic, type, "published by the publisher");
  if (!component::check_topic(made, topic)) return made;
  bool any = false;
  for_each_receiver(core, "subscriber", [&](const receiver& each) {
    any = true;
    component::explain_message(made, each, topic, type);
  });
  component::conclude(made, any, "the publisher");
  return made;
}

explanation explain_command(const service_core& core, std::string_view name) {
  explanation made;
  made.question = "operation '" + std::string(name) + "', executed by the service";
  component::explain_command(made, receiver_of(core, "the service"), name);
  return made;
}

}  // namespace msgbus::sync::detail

namespace msgbus {

explanation explanation_of(const sync::subscriber& component, std::string_view topic) {
  return sync::detail::explain_message(*component::core_access::of(component), topic, nullptr);
}

explanation explanation_of(const sync::publisher& component, std::string_view topic) {
  return sync::detail::explain_message(*component::core_access::of(component), topic, nullptr);
}

explanation explanation_of(const sync::service& component, std::string_view name) {
  return sync::detail::explain_command(*component::core_access::of(component), name);
}

std::string explain(const sync::subscriber& component, std::string_view topic) {
  return explanation_of(component, topic).text();
}

std::string explain(const sync::publisher& component, std::string_view topic) {
  return explanation_of(component, topic).text();
}

std::string explain(const sync::service& component, std::string_view name) {
  return explanation_of(component, name).text();
}

}  // namespace msgbus
