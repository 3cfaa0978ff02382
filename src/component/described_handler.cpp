#include "component/explain.hpp"

#include <algorithm>

namespace msgbus::component {

namespace {

using path = std::vector<const void*>;  // the dependencies that lead to one

std::vector<graph::dependency> dependencies_of(std::span<const component::dependency_ref> needs,
                                               const component::provider_state& overrides,
                                               path& above) {
  std::vector<graph::dependency> all;
  for (const component::dependency_ref& each : needs) {
    graph::dependency made;
    made.name = each.info->name();
    made.type = each.info->type;
    made.required = each.info->factory.kind == component::shape::required;
    auto more = each.info->factory.needs;
    if (const auto over = overrides.describe(each.identity)) {
      made.overridden_by = over->type;
      made.overridden_at = msgbus::detail::place_of(over->line);
      more = over->needs;
    }
    // A cycle of overrides: resolution reports it.
    if (more && std::ranges::find(above, each.identity) == above.end()) {
      above.push_back(each.identity);
      made.needs = dependencies_of(more(), overrides, above);
      above.pop_back();
    }
    all.push_back(std::move(made));
  }
  return all;
}

const graph::dependency* first_missing(const std::vector<graph::dependency>& among) {
  for (const graph::dependency& each : among) {
    if (each.required && each.overridden_by.empty()) return &each;
    if (const graph::dependency* const found = first_missing(each.needs)) return found;
  }
  return nullptr;
}

void add_facts(described_handler& to, const handler_facts& facts, const void* callable,
               const registered_at& line, const component::provider_state& overrides) {
  to.facts.attached_at = msgbus::detail::place_of(line);
  to.facts.coroutine = facts.is_coroutine;
  if (facts.policy) to.facts.policy = facts.policy(callable);
  if (!facts.needs) return;
  path above;
  to.facts.dependencies = dependencies_of(facts.needs(), overrides, above);
  if (const graph::dependency* const missing = first_missing(to.facts.dependencies)) {
    to.obstacles.push_back("it fails with not_provided: the dependency '" + missing->name +
                           "' has no default and no override");
  }
}

}  // namespace

described_handler described(const event_entry& of, const component::provider_state& overrides) {
  described_handler made;
  made.facts.label = of.describe();
  for (const routing::typed_call& each : of.calls()) {
    if (!each.type) continue;
    made.types.push_back(each.type);
    made.facts.messages.emplace_back(each.type->name);
  }
  if (const handler_facts* const facts = of.handler().facts()) {
    add_facts(made, *facts, of.callable(), of.attached_at(), overrides);
  }
  return made;
}

described_handler described(const message_entry& of, const component::provider_state& overrides) {
  described_handler made;
  made.facts.label = of.describe();
  made.facts.patterns = of.patterns();
  for (const type_key each : of.types()) {
    made.types.push_back(each);
    made.facts.messages.emplace_back(each->name);
  }
  if (const handler_facts* const facts = of.handler().facts()) {
    add_facts(made, *facts, of.callable(), of.attached_at(), overrides);
  }
  return made;
}

described_handler described(const routing::named_entry& of, const operation_facts& facts,
                            const component::provider_state& overrides) {
  described_handler made;
  made.facts.label = of.describe();
  made.facts.operation = of.name;
  made.facts.arguments = facts.arguments();
  made.facts.result = facts.result;
  add_facts(made, facts.handler, facts.callable, of.attached_at, overrides);
  return made;
}

}  // namespace msgbus::component
