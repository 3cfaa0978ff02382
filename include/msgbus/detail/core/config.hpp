#pragma once

/// The required compilers, named before any other error, and the namespaces of the modules.

#if defined(__apple_build_version__)
#if __clang_major__ < 15
#error "msgbus needs Xcode 15 or newer"
#endif
#elif defined(__clang__)
#if __clang_major__ < 16
#error "msgbus needs g++ 12 or newer, or clang 16 or newer (on Debian 12: g++, or clang++-19)"
#endif
#elif defined(__GNUC__)
#if __GNUC__ < 12
#error "msgbus needs g++ 12 or newer, or clang 16 or newer (on Debian 12: g++, or clang++-19)"
#endif
#endif

#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error "msgbus needs C++20: compile with -std=c++20, or link its CMake target, which sets it"
#endif

/// Internal names are in `msgbus::detail`, so `using namespace msgbus` brings only public names.
/// The modules use them without a prefix.
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
namespace msgbus::durable::detail {
using namespace msgbus::detail;
}  // namespace msgbus::durable::detail
namespace msgbus::exec {
using namespace msgbus::detail;
}  // namespace msgbus::exec
namespace msgbus::routing {
using namespace msgbus::detail;
}  // namespace msgbus::routing
namespace msgbus::sync::detail {
using namespace msgbus::detail;
}  // namespace msgbus::sync::detail
namespace msgbus::testing::detail {
using namespace msgbus::detail;
}  // namespace msgbus::testing::detail
