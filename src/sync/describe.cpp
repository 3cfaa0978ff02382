// The graph of sync components.

#include <msgbus/detail/sync/consumer_core.hpp>
#include <msgbus/detail/sync/service_core.hpp>
#include <msgbus/detail/sync/subscriber_core.hpp>

#include "component/explain.hpp"
#include "observe/graph_builder.hpp"

#include <string>
#include <utility>

namespace msgbus::sync::detail {

namespace {

using component::described_handler;
using msgbus::detail::graph_builder;

template <class Entry, class Core>
std::vector<described_handler> handlers_of(const Core& core) {
  std::vector<described_handler> all;
  core.for_each_attached([&](const routing::entry& each) {
    all.push_back(
        component::described(static_cast<const Entry&>(each), core.shared.overrides_state()));
  });
  return all;
}

const void* identity_of(const routing::router& core) noexcept { return &core; }

/// False if it was described before.
template <class Core>
bool describe_own(graph_builder& to, const Core& core, const char* kind, std::string_view name) {
  graph::component& made = to.component(identity_of(core), kind, "sync");
  if (made.name.empty()) made.name = name;
  if (!to.describe(identity_of(core))) return false;
  for (described_handler& each : core.described_handlers()) {
    made.handlers.push_back(std::move(each.facts));
  }
  return true;
}

template <class Core>
void describe_receiver(graph_builder& to, const Core& core, const char* kind, const char* senders,
                       std::string_view name) {
  if (!describe_own(to, core, kind, name)) return;
  core.senders.for_each([&](const void* sender, const component::bound_in& in) {
    to.component(sender, senders, "sync");
    to.bind(sender, identity_of(core), nullptr, {}, msgbus::detail::place_of(in.line));
  });
}

template <class Core>
void describe_sender(graph_builder& to, const Core& core, const char* kind, std::string_view name) {
  graph::component& made = to.component(identity_of(core), kind, "sync");
  if (made.name.empty()) made.name = name;
  if (!to.describe(identity_of(core))) return;
  for (const auto& each : core.bound()) {
    each->describe_to(to, {});
    to.bind(identity_of(core), identity_of(*each));
  }
}

}  // namespace

std::vector<described_handler> consumer_core::described_handlers() const {
  return handlers_of<component::event_entry>(*this);
}

std::vector<described_handler> subscriber_core::described_handlers() const {
  return handlers_of<component::message_entry>(*this);
}

std::vector<described_handler> service_core::described_handlers() const {
  std::vector<described_handler> all;
  for_each_attached([&](const routing::entry& each) {
    const auto& operation = static_cast<const operation_entry&>(each);
    all.push_back(component::described(operation, operation.facts(), shared.overrides_state()));
  });
  return all;
}

void consumer_core::describe_to(graph_builder& to, std::string_view name) const {
  describe_receiver(to, *this, "consumer", "producer", name);
}

void subscriber_core::describe_to(graph_builder& to, std::string_view name) const {
  describe_receiver(to, *this, "subscriber", "publisher", name);
}

void service_core::describe_to(graph_builder& to, std::string_view name) const {
  (void)describe_own(to, *this, "service", name);
}

void producer_core::describe_to(graph_builder& to, std::string_view name) const {
  describe_sender(to, *this, "producer", name);
}

void publisher_core::describe_to(graph_builder& to, std::string_view name) const {
  describe_sender(to, *this, "publisher", name);
}

}  // namespace msgbus::sync::detail
