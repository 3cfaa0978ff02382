#pragma once

// Everything that the target msgbus::msgbus has.

#include <msgbus/async.hpp>
#include <msgbus/format.hpp>
#include <msgbus/metrics.hpp>
#include <msgbus/sync.hpp>
