#pragma once

// Components of several processes joined over NATS.

#include <msgbus/bridge.hpp>
#include <msgbus/nats/connect.hpp>
#include <msgbus/nats/options.hpp>
