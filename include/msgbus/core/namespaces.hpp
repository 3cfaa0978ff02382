#pragma once

/// Internal names are in `msgbus::detail`, so `using namespace msgbus` brings only public names.
/// The modules use them without a prefix.

#include <msgbus/core/requirements.hpp>

namespace msgbus::detail {}

namespace msgbus::async::detail {
using namespace msgbus::detail;
}  // namespace msgbus::async::detail
namespace msgbus::bridging {
using namespace msgbus::detail;
}  // namespace msgbus::bridging
namespace msgbus::component {
using namespace msgbus::detail;
}  // namespace msgbus::component
namespace msgbus::di {
using namespace msgbus::detail;
}  // namespace msgbus::di
namespace msgbus::exec {
using namespace msgbus::detail;
}  // namespace msgbus::exec
namespace msgbus::routing {
using namespace msgbus::detail;
}  // namespace msgbus::routing
namespace msgbus::snapshot {
using namespace msgbus::detail;
}  // namespace msgbus::snapshot
namespace msgbus::sync::detail {
using namespace msgbus::detail;
}  // namespace msgbus::sync::detail
namespace msgbus::testing::detail {
using namespace msgbus::detail;
}  // namespace msgbus::testing::detail
