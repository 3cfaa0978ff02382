#include <msgbus/detail/component/operation_signature.hpp>

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

}  // namespace msgbus::component
