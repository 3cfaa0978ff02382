#include <msgbus/detail/routing/name_table.hpp>

#include <msgbus/error.hpp>

#include <algorithm>

namespace msgbus::routing {

std::shared_ptr<entry> name_table::attach_made(std::string_view name, make_entry make) {
  const auto make_checked = [&](std::uint64_t order) {
    check_free(name);
    return make(order);
  };
  return router::attach(make_checked, [this](entry& added, snapshot::retire_list& old) {
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
