#pragma once

// Everything that the target msgbus::msgbus has.

#include <msgbus/sync.hpp>
