// Why messages reach handlers of async components.

#include <msgbus/async/explain.hpp>

#include "component/explain.hpp"
#include "observe/graph_builder.hpp"

#include <string>
#include <utility>

namespace msgbus::async::detail {

namespace {

using component::receiver;
using msgbus::detail::graph_builder;

receiver receiver_of(const component_core& core, std::string label, graph_builder& in) {
  receiver made;
  made.label = std::move(label);
  if (core.closed()) made.refusal = "the component is closed: it takes no new messages";
  if (core.mailbox.can_run()) {
    made.executor = executor_text(core.mailbox.executor(), in);
  } else {
    made.refusal = "the context of the component's executor has been destroyed";
  }
  if (core.mailbox.is_full()) {
    made.notes.push_back("its mailbox is full: " + std::to_string(core.mailbox.size()) +
                         " messages wait");
  }
  made.handlers = core.described_handlers(in);
  return made;
}

std::string label_of(const component_core& core, std::size_t number) {
  std::string named = core.called().text();
  if (!core.called().name().empty()) return named;
  return named + " that was bound as number " + std::to_string(number);
}

/// `each(receiver)` for every component that a message may go to. Returns whether there is one.
template <class Each>
bool for_each_receiver(const fan_out_core& core, graph_builder& in, Each each) {
  struct candidate {
    std::shared_ptr<component_core> target;
    std::string choice;
  };
  std::vector<candidate> all;
  core.for_each_bound([&](component_core& to) { all.push_back({to.self(), {}}); },
                      [&](const one_of_group& group) {
                        targets members;
                        group.add_all(members);
                        const std::string choice = "only if it is chosen, by " +
                                                   std::string(group.chosen_by()) + ", as one of " +
                                                   std::to_string(members.size());
                        for (auto& to : members) all.push_back({std::move(to), choice});
                      });
  for (std::size_t i = 0; i < all.size(); ++i) {
    receiver made = receiver_of(*all[i].target, label_of(*all[i].target, i + 1), in);
    made.choice = std::move(all[i].choice);
    each(made);
  }
  return !all.empty();
}

explanation ask_of_event(type_key type, std::string_view verb) {
  explanation made;
  made.question = std::string(type->name) + ", " + std::string(verb);
  return made;
}

}  // namespace

explanation explain_event(const consumer_core& core, type_key type) {
  graph_builder in;
  const std::string own = core.called().text();
  explanation made = ask_of_event(type, "consumed by " + own);
  component::explain_event(made, receiver_of(core, own, in), type);
  return made;
}

explanation explain_event(const fan_out_core& core, type_key type) {
  graph_builder in;
  explanation made = ask_of_event(type, "dispatched by the producer");
  const bool any = for_each_receiver(
      core, in, [&](const receiver& each) { component::explain_event(made, each, type); });
  component::conclude(made, any, "the producer");
  return made;
}

explanation explain_message(const subscriber_core& core, std::string_view topic, type_key type) {
  graph_builder in;
  const std::string own = core.called().text();
  explanation made = component::ask(topic, type, "received by " + own);
  if (component::check_topic(made, topic)) {
    component::explain_message(made, receiver_of(core, own, in), topic, type);
  }
  return made;
}

explanation explain_message(const fan_out_core& core, std::string_view topic, type_key type) {
  graph_builder in;
  explanation made = component::ask(topic, type, "published by the publisher");
  if (!component::check_topic(made, topic)) return made;
  const bool any = for_each_receiver(
      core, in, [&](const receiver& each) { component::explain_message(made, each, topic, type); });
  component::conclude(made, any, "the publisher");
  return made;
}

explanation explain_command(const service_core& core, std::string_view name) {
  graph_builder in;
  const std::string own = core.called().text();
  explanation made;
  made.question = "operation '" + std::string(name) + "', executed by " + own;
  component::explain_command(made, receiver_of(core, own, in), name);
  return made;
}

}  // namespace msgbus::async::detail

namespace msgbus {

explanation explanation_of(const async::subscriber& component, std::string_view topic) {
  return async::detail::explain_message(*component::core_access::of(component), topic, nullptr);
}

explanation explanation_of(const async::publisher& component, std::string_view topic) {
  return async::detail::explain_message(*component::core_access::of(component), topic, nullptr);
}

explanation explanation_of(const async::service& component, std::string_view name) {
  return async::detail::explain_command(*component::core_access::of(component), name);
}

std::string explain(const async::subscriber& component, std::string_view topic) {
  return explanation_of(component, topic).text();
}

std::string explain(const async::publisher& component, std::string_view topic) {
  return explanation_of(component, topic).text();
}

std::string explain(const async::service& component, std::string_view name) {
  return explanation_of(component, name).text();
}

}  // namespace msgbus
