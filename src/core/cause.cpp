#include <msgbus/core/cause.hpp>

namespace msgbus::detail {

const shared_origin*& cause_of_this_thread() noexcept {
  constinit static thread_local const shared_origin* now = nullptr;
  return now;
}

}  // namespace msgbus::detail
