#include <msgbus/detail/routing/type_table.hpp>

#include <msgbus/detail/routing/name_table.hpp>
#include <msgbus/error.hpp>

#include <algorithm>

namespace msgbus::routing {

type_table::~type_table() {
  nodes_.for_each([](node& each) { delete &each; });
}

quick_route& type_table::route_for(type_key type, routing::retire_list& old) {
  if (!type) return any_;
  node* found = nodes_.find(type, type->hash);
  if (!found) {
    found = new node(type);
    nodes_.insert(*found, old);
  }
  return found->handlers;
}

std::shared_ptr<entry> type_table::attach_made(make_entry make) {
  return router::attach(make, [this](entry& added, routing::retire_list& old) {
    link(static_cast<typed_entry&>(added), old);
  });
}

void type_table::link(typed_entry& added, routing::retire_list& old) noexcept {
  for (const typed_call& each : added.calls()) {
    if (!each.type) hide_soles();  // from now on, every event has another handler
    route_for(each.type, old).add({each.call, &added}, old, may_be_sole());
  }
}

void type_table::unlink(entry& removed, routing::retire_list& old) noexcept {
  for (const typed_call& each : static_cast<typed_entry&>(removed).calls()) {
    route_for(each.type, old).remove(removed, old, may_be_sole());
  }
}

void type_table::hide_soles() noexcept {
  nodes_.for_each([](node& each) { each.handlers.hide_sole(); });
}

std::shared_ptr<entry> name_table::attach_made(std::string_view name, make_entry make) {
  const auto make_checked = [&](std::uint64_t order) {
    check_free(name);
    return make(order);
  };
  return router::attach(make_checked, [this](entry& added, routing::retire_list& old) {
    nodes_.insert(static_cast<named_entry&>(added), old);
  });
}

void name_table::check_free(std::string_view name) const {
  if (name.empty()) throw error(errc::bad_arguments, "the name of an operation is empty");
  if (find(name)) {
    throw error(errc::duplicate_handler,
                "operation '" + std::string(name) +
                    "' already has a handler; cancel it, or choose another name");
  }
}

std::vector<std::string> name_table::names() {
  std::vector<std::string> all;
  {
    const std::lock_guard lock(writing_);
    nodes_.for_each([&](const named_entry& each) { all.push_back(each.name); });
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace msgbus::routing
