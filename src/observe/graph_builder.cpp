#include "observe/graph_builder.hpp"

#include <msgbus/graph_source.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::detail {

graph::place place_of(const registered_at& line) {
  return {std::string(line.file()), static_cast<std::uint32_t>(line.line())};
}

graph_builder::mention* graph_builder::find(const void* object) noexcept {
  const auto found = std::ranges::find(mentions_, object, &mention::object);
  return found == mentions_.end() ? nullptr : &*found;
}

graph::component& graph_builder::component(const void* object, std::string_view kind,
                                           std::string_view family) {
  const mention* found = find(object);
  if (!found) {
    mentions_.push_back({object, made_.components.size()});
    found = &mentions_.back();
    made_.components.emplace_back().id = 'c' + std::to_string(mentions_.size());
  }
  graph::component& made = made_.components[found->index];
  if (made.kind.empty()) made.kind = kind;
  if (made.family.empty()) made.family = family;
  return made;
}

bool graph_builder::describe(const void* object) {
  mention* const found = find(object);
  return found && !std::exchange(found->described, true);
}

void graph_builder::bind(const void* from, const void* to, const void* group, std::string_view pick,
                         graph::place line) {
  const mention* const one = find(from);
  const mention* const other = find(to);
  if (!one || !other) return;
  graph::binding made;
  made.from = made_.components[one->index].id;
  made.to = made_.components[other->index].id;
  made.bound_at = std::move(line);
  if (group) {
    const auto at = std::ranges::find(groups_, group);
    made.group = 'g' + std::to_string(at - groups_.begin() + 1);
    made.pick = pick;
    if (at == groups_.end()) groups_.push_back(group);
  }
  const auto same = [&](const graph::binding& each) {
    return each.from == made.from && each.to == made.to && each.group == made.group;
  };
  if (std::ranges::none_of(made_.bindings, same)) made_.bindings.push_back(std::move(made));
}

std::string graph_builder::numbered(std::string_view kind, const void* address) {
  auto found = std::ranges::find(contexts_, address, &context::address);
  if (found == contexts_.end()) {
    const auto others = std::ranges::count(contexts_, kind, &context::kind);
    contexts_.push_back({std::string(kind), address, static_cast<std::size_t>(others) + 1});
    found = contexts_.end() - 1;
  }
  return found->kind + ' ' + std::to_string(found->number);
}

}  // namespace msgbus::detail

namespace msgbus {

void graph_source::add(std::string name, detail::describer added) {
  const std::lock_guard lock(mutex_);
  parts_.push_back({std::move(name), std::move(added)});
}

graph graph_source::read() const {
  std::vector<part> parts;
  {
    const std::lock_guard lock(mutex_);
    parts = parts_;
  }
  detail::graph_builder builder;
  for (const part& each : parts) each.describe(builder, each.name);
  return builder.take();
}

}  // namespace msgbus
