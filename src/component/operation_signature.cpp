#include <msgbus/detail/component/operation_signature.hpp>

#include <msgbus/detail/component/argument.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/error.hpp>

#include <algorithm>

namespace msgbus::component {

std::string kebab_case(std::string_view function) {
  if (function.ends_with('>')) {  // the arguments of a template
    std::size_t at = function.size();
    int open = 0;
    do {
      --at;
      open += function[at] == '>' ? 1 : function[at] == '<' ? -1 : 0;
    } while (open != 0 && at != 0);
    function = function.substr(0, at);
  }
  if (const auto scope = function.rfind("::"); scope != std::string_view::npos) {
    function.remove_prefix(scope + 2);
  }
  std::string name(function);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

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
