#include "di/misuse.hpp"

namespace msgbus::di {

error cycle(const std::string& path, const requester& requested_by) {
  return {errc::misused_dependency, "dependency cycle: " + path + ", required by " +
                                        requested_by.describe(requested_by.object)};
}

error not_provided(const dependency_info& wanted, const dependency_info* needed_by,
                   const requester& requested_by, const provider_state& overrides) {
  std::string by = requested_by.describe(requested_by.object);
  if (needed_by) by = "dependency '" + needed_by->name() + "' of " + by;
  return {errc::not_provided,
          "dependency '" + wanted.name() + "' (" + std::string(wanted.type) + ") is required by " +
              by + ", and no override provides it: " + overrides.namesake_of(wanted)};
}

error yielded_twice(const dependency_info& by) {
  return {errc::misused_dependency,
          "dependency '" + by.name() + "' called its yield twice; call it exactly once"};
}

error never_yielded(const dependency_info& by) {
  return {
      errc::misused_dependency,
      "dependency '" + by.name() + "' returned without calling its yield; call it exactly once"};
}

}  // namespace msgbus::di
