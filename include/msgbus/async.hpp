#pragma once

// The async family, for programs with Asio coroutines.

#include <msgbus/exec/requirements.hpp>  // first, so that it is said first

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/operation.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/shielded.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/core/any_event.hpp>
#include <msgbus/core/context.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/core/one_of.hpp>
#include <msgbus/core/topic.hpp>
#include <msgbus/di/depends.hpp>
#include <msgbus/di/provider.hpp>
#include <msgbus/di/yield.hpp>
#include <msgbus/exec/async_event.hpp>
#include <msgbus/exec/async_semaphore.hpp>
#include <msgbus/exec/blocking.hpp>
#include <msgbus/exec/cancelled.hpp>
#include <msgbus/exec/options.hpp>
#include <msgbus/exec/stream.hpp>
#include <msgbus/exec/timer.hpp>
#include <msgbus/exec/wait_group.hpp>
#include <msgbus/exec/yield.hpp>
#include <msgbus/observe/counters.hpp>
#include <msgbus/observe/observer.hpp>
#include <msgbus/policy/circuit_breaker.hpp>
#include <msgbus/policy/deduplicate.hpp>
#include <msgbus/policy/failure.hpp>
#include <msgbus/policy/policy.hpp>
#include <msgbus/policy/rate_limit.hpp>
#include <msgbus/policy/refused_error.hpp>
#include <msgbus/policy/retry.hpp>
#include <msgbus/routing/subscription.hpp>
