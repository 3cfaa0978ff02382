// An Asio that is too old, as far as it says so itself.

#include <asio/version.hpp>

#ifndef MSGBUS_CONTROL
#undef ASIO_VERSION
#define ASIO_VERSION 101800
#endif

#include <msgbus/async.hpp>
