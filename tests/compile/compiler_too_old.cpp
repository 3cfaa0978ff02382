// A compiler that is too old, as far as it says so itself.

#ifndef MSGBUS_CONTROL
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wbuiltin-macro-redefined"
#undef __clang_major__
#define __clang_major__ 14
#else
#undef __GNUC__
#define __GNUC__ 11
#endif
#endif

#include <msgbus/sync.hpp>
