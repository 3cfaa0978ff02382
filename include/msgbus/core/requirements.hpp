#pragma once

/// Names the required compilers before any other error. The same numbers are in
/// cmake/compilers.cmake.

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
#error "msgbus needs C++20: compile with -std=c++20, or link its CMake target, which says so"
#endif
