#pragma once

// The test kit.

#include <msgbus/detail/exec/requirements.hpp>  // first, so that it is said first

#include <msgbus/testing/conformance.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/faults.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/spawned.hpp>
#include <msgbus/testing/stepping_executor.hpp>
