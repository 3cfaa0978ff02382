#include <msgbus/core/cause.hpp>

namespace msgbus::detail {

constinit thread_local const shared_origin* cause_of_this_thread = nullptr;

}  // namespace msgbus::detail
