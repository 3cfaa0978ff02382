// The text form of a graph, and its values.

#include "core/text.hpp"
#include "observe/graph_forms.hpp"

#include <algorithm>
#include <ostream>

namespace msgbus {

namespace {

std::string text_of(const graph::place& place) {
  if (place.file.empty()) return "unknown";
  return detail::escaped(place.file) + ':' + std::to_string(place.line);
}

void add_dependencies(std::string& to, const std::vector<graph::dependency>& all,
                      std::size_t depth) {
  for (const graph::dependency& each : all) {
    to += std::string(6 + 2 * depth, ' ') + "needs " + detail::escaped(each.name);
    if (!each.overridden_by.empty()) {
      to += ", overridden at " + text_of(each.overridden_at);
    } else if (each.required) {
      to += ", which has no override: it is not provided";
    }
    to += '\n';
    add_dependencies(to, each.needs, depth + 1);
  }
}

void add_handler(std::string& to, const graph::handler& each, std::size_t number) {
  to += "  " + std::to_string(number) + ". " + detail::escaped(each.label);
  if (!each.operation.empty()) {
    to += '(' + detail::escaped(each.arguments) + ") -> " + detail::escaped(each.result);
  }
  to += each.coroutine ? ", a coroutine, at " : ", at ";
  to += text_of(each.attached_at) + '\n';
  if (!each.executor.empty()) to += "      on " + each.executor + '\n';
  if (!each.policy.empty()) to += "      with " + detail::escaped(each.policy) + '\n';
  add_dependencies(to, each.dependencies, 0);
}

void add_names(std::string& to, const std::vector<graph::channel::message>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    to += (i == 0 ? " " : ", ") + detail::escaped(all[i].name);
    if (!all[i].content_type.empty()) to += " (" + detail::escaped(all[i].content_type) + ')';
  }
}

void add_channel(std::string& to, const graph::channel& each) {
  to += each.sends ? "  sends" : "  receives";
  if (each.calls) to += " commands";
  add_names(to, each.messages);
  to += " on '" + detail::escaped(each.topic) + '\'';
  if (!each.replies.empty()) {
    to += ", replies with";
    add_names(to, each.replies);
  }
  to += '\n';
}

void add_component(std::string& to, const graph& all, const graph::component& each) {
  to += detail::escaped(each.label());
  if (!each.executor.empty()) to += " on " + each.executor;
  if (each.capacity != 0) {
    to += ", mailbox " + std::to_string(each.capacity) + " (" + each.on_full + "), " +
          std::to_string(each.concurrency) + " at once";
  }
  if (!each.detail.empty()) to += ", " + detail::escaped(each.detail);
  if (each.closed) to += ", closed";
  for (const std::string& server : each.servers) to += ", at " + detail::escaped(server);
  to += '\n';
  for (const graph::channel& one : each.channels) add_channel(to, one);
  for (std::size_t i = 0; i < each.handlers.size(); ++i) add_handler(to, each.handlers[i], i + 1);
  for (const graph::binding& one : all.bindings) {
    if (one.from != each.id) continue;
    const graph::component* const target = all.find(one.to);
    to += "  -> " + (target ? detail::escaped(target->label()) : detail::escaped(one.to));
    if (!one.group.empty()) to += ", one of " + one.group + " (" + one.pick + ')';
    if (!one.bound_at.file.empty()) to += ", at " + text_of(one.bound_at);
    to += '\n';
  }
}

bool is_provided(const std::vector<graph::dependency>& all) {
  return std::ranges::all_of(all, [](const graph::dependency& each) { return each.provided(); });
}

}  // namespace

bool graph::dependency::provided() const noexcept {
  return (!required || !overridden_by.empty()) && is_provided(needs);
}

std::string graph::component::label() const {
  return name.empty() ? kind + ' ' + id : kind + " \"" + name + '"';
}

const graph::component* graph::find(std::string_view id) const noexcept {
  const auto found = std::ranges::find(components, id, &component::id);
  return found == components.end() ? nullptr : &*found;
}

std::string detail::graph_text(const graph& all) {
  std::string made;
  for (const graph::component& each : all.components) add_component(made, all, each);
  return made;
}

std::string describe(const graph& all, graph_format form) {
  switch (form) {
    case graph_format::text: return detail::graph_text(all);
    case graph_format::json: return detail::graph_json(all);
    case graph_format::dot: return detail::graph_dot(all);
    case graph_format::mermaid: return detail::graph_mermaid(all);
    case graph_format::asyncapi: return detail::graph_asyncapi(all);
  }
  return {};
}

std::ostream& operator<<(std::ostream& out, const graph& all) {
  return out << detail::graph_text(all);
}

std::ostream& operator<<(std::ostream& out, const graph::place& place) {
  return out << text_of(place);
}

}  // namespace msgbus
