#pragma once

// Components of several processes joined over NATS.

#include <msgbus/bridge.hpp>
#include <msgbus/bridge/connect.hpp>
#include <msgbus/transport/nats.hpp>
