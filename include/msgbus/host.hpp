#pragma once

// One object for the lifecycle of a program's components.

#include <msgbus/async/host.hpp>
