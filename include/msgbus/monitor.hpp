#pragma once

// A page in the browser about a program that runs: target msgbus::monitor.

#include <msgbus/monitor/monitor.hpp>
