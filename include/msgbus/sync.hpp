#pragma once

// The sync family. It does not include Asio.

#include <msgbus/core/requirements.hpp>  // first, so that it is said first

#include <msgbus/core/any_event.hpp>
#include <msgbus/core/context.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/core/one_of.hpp>
#include <msgbus/core/saturate.hpp>
#include <msgbus/core/topic.hpp>
#include <msgbus/core/version.hpp>
#include <msgbus/di/depends.hpp>
#include <msgbus/di/provider.hpp>
#include <msgbus/di/yield.hpp>
#include <msgbus/observe/counters.hpp>
#include <msgbus/observe/observer.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/operation.hpp>
#include <msgbus/sync/policy.hpp>
#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>
