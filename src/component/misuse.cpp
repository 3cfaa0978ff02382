#include "component/misuse.hpp"

#include <msgbus/detail/component/argument.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/error.hpp>

namespace msgbus::component {

void throw_empty_handler() {
  throw error(errc::bad_arguments,
              "the handler is empty: a null pointer or an empty std::function");
}

void throw_bad_argument(position at, std::string_view wanted, value_ref given,
                        std::string_view why) {
  throw error(errc::bad_arguments, "operation '" + std::string(at.operation) + "': argument " +
                                       std::to_string(at.index) + " is " + describe(given) +
                                       ", but its parameter is " + std::string(wanted) + ": " +
                                       std::string(why));
}

void throw_bad_result(std::string_view operation, std::string_view wanted, std::string_view given,
                      const char* why) {
  throw error(errc::type_mismatch, "operation '" + std::string(operation) + "' returns " +
                                       std::string(given) + ", requested as " +
                                       std::string(wanted) + ": " + why);
}

}  // namespace msgbus::component

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
