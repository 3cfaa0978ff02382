#pragma once

// Components of several processes joined, over any transport: the memory transport is here.

#include <msgbus/async.hpp>
#include <msgbus/bridge/bridge.hpp>
#include <msgbus/bridge/bridge_link.hpp>
#include <msgbus/bridge/call_policy.hpp>
#include <msgbus/bridge/dead_letters.hpp>
#include <msgbus/bridge/explain.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/bridge/remote_error.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/delivery.hpp>
#include <msgbus/transport/envelope.hpp>
#include <msgbus/transport/memory.hpp>
#include <msgbus/transport/transport.hpp>
