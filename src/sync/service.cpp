#include <msgbus/sync/service.hpp>

#include <algorithm>

namespace msgbus::sync {

std::string kebab_case(std::string_view function) {
  function = function.substr(0, function.find('<'));
  if (const auto scope = function.rfind("::"); scope != std::string_view::npos) {
    function.remove_prefix(scope + 2);
  }
  std::string name(function);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

}  // namespace msgbus::sync
