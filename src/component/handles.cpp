#include <msgbus/component/handles.hpp>

#include <msgbus/core/error.hpp>

namespace msgbus::component {

void throw_empty_handler() {
  throw error(errc::bad_arguments,
              "the handler is empty: a null pointer or an empty std::function");
}

}  // namespace msgbus::component
