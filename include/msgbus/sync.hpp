#pragma once

// The sync family. It does not include Asio.

#include <msgbus/detail/core/config.hpp>  // first, so that it is said first

#include <msgbus/any_event.hpp>
#include <msgbus/context.hpp>
#include <msgbus/counters.hpp>
#include <msgbus/dead_letter.hpp>
#include <msgbus/depends.hpp>
#include <msgbus/error.hpp>
#include <msgbus/log_observer.hpp>
#include <msgbus/observer.hpp>
#include <msgbus/one_of.hpp>
#include <msgbus/provider.hpp>
#include <msgbus/subscription.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/dead_letters.hpp>
#include <msgbus/sync/explain.hpp>
#include <msgbus/sync/operation.hpp>
#include <msgbus/sync/policy.hpp>
#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>
#include <msgbus/topic.hpp>
#include <msgbus/trace_context.hpp>
#include <msgbus/version.hpp>
#include <msgbus/yield.hpp>
