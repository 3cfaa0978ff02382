#pragma once

// The async family, for programs with Asio coroutines.

#include <msgbus/detail/exec/requirements.hpp>  // first, so that it is said first

#include <msgbus/any_event.hpp>
#include <msgbus/async/blocking.hpp>
#include <msgbus/async/consumer.hpp>
#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/describe.hpp>
#include <msgbus/async/explain.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/async/host_report.hpp>
#include <msgbus/async/operation.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/semaphore.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/shielded.hpp>
#include <msgbus/async/sleep.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/async/yield.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/context.hpp>
#include <msgbus/counters.hpp>
#include <msgbus/dead_letter.hpp>
#include <msgbus/depends.hpp>
#include <msgbus/error.hpp>
#include <msgbus/failure.hpp>
#include <msgbus/log_observer.hpp>
#include <msgbus/observer.hpp>
#include <msgbus/one_of.hpp>
#include <msgbus/options.hpp>
#include <msgbus/pick.hpp>
#include <msgbus/policy.hpp>
#include <msgbus/provider.hpp>
#include <msgbus/rate_limit.hpp>
#include <msgbus/retry.hpp>
#include <msgbus/scheduled.hpp>
#include <msgbus/stream.hpp>
#include <msgbus/subscription.hpp>
#include <msgbus/topic.hpp>
#include <msgbus/yield.hpp>
