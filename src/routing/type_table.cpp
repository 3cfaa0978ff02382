#include <msgbus/detail/routing/type_table.hpp>

namespace msgbus::routing {

type_table::~type_table() {
  nodes_.for_each([](node& each) { delete &each; });
}

quick_route& type_table::route_for(type_key type, snapshot::retire_list& old) {
  if (!type) return any_;
  node* found = nodes_.find(type, type->hash);
  if (!found) {
    found = new node(type);
    nodes_.insert(*found, old);
  }
  return found->handlers;
}

std::shared_ptr<entry> type_table::attach_made(make_entry make) {
  return router::attach(make, [this](entry& added, snapshot::retire_list& old) {
    link(static_cast<typed_entry&>(added), old);
  });
}

void type_table::link(typed_entry& added, snapshot::retire_list& old) noexcept {
  for (const typed_call& each : added.calls()) {
    if (!each.type) hide_soles();  // from now on, every event has another handler
    route_for(each.type, old).add({each.call, &added}, old, may_be_sole());
  }
}

void type_table::unlink(entry& removed, snapshot::retire_list& old) noexcept {
  for (const typed_call& each : static_cast<typed_entry&>(removed).calls()) {
    route_for(each.type, old).remove(removed, old, may_be_sole());
  }
}

void type_table::hide_soles() noexcept {
  nodes_.for_each([](node& each) { each.handlers.hide_sole(); });
}

}  // namespace msgbus::routing
