#include <msgbus/component/handles.hpp>

#include <msgbus/core/error.hpp>

namespace msgbus::component {

void throw_empty_handler() {
  throw error(errc::bad_arguments, "a handler that is a null pointer or an empty function");
}

}  // namespace msgbus::component
