#pragma once

/// The options of bridges.

#include <msgbus/bridge/call_policy.hpp>
#include <msgbus/context.hpp>
#include <msgbus/options.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>
#include <msgbus/transport/transport.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace msgbus {

/// The options of a bridge.
struct bridge_options {
  /// Called, on any thread, for each failure that reaches no caller. `where` names the link.
  /// Without this function, a failure is one line on stderr. Exceptions of the function are one
  /// more line.
  std::function<void(std::string_view where, const std::exception_ptr& failure)> on_failure = {};
};

/// The options of `bridge::outbound`.
struct outbound_options {
  mailbox_options mailbox = {};                        ///< the mailbox for outbound messages
  msgbus::encoding encoding = msgbus::encoding::json;  ///< the encoding of payloads
  std::string prefix = "events";         ///< the topic of an event is `<prefix>.<name>`
  header_form form = header_form::full;  ///< which headers a message has
  std::string source =
      "msgbus";  ///< the source of CloudEvents: a URI reference, such as `/shop/orders`
};

/// The options of `bridge::inbound`.
struct inbound_options {
  std::string queue_group = {};   ///< each message reaches one link of a group; empty: every link
  std::size_t buffer = 1024;      ///< messages kept while the component's mailbox is full
  std::string prefix = "events";  ///< the prefix of event topics
};

/// The options of `bridge::serve`.
struct serve_options {
  std::string queue_group = "msgbus";                  ///< one server of a group gets each command
  std::size_t concurrency = 256;                       ///< commands handled concurrently
  std::size_t buffer = 1024;                           ///< commands that may wait
  msgbus::encoding encoding = msgbus::encoding::json;  ///< the encoding of replies
  header_form form = header_form::full;  ///< which headers replies have; errors always have theirs
  std::string source = "msgbus";         ///< the source of CloudEvents
  // For discovery:
  std::string name = {};          ///< letters, digits, `-` and `_`; empty: made from the prefix
  std::string version = "0.0.0";  ///< a semantic version
  std::string description = {};   ///< a text for people
};

/// The options of a `remote_service`.
struct call_options {
  std::chrono::steady_clock::duration timeout =
      std::chrono::seconds(5);                         ///< the time limit for the reply
  msgbus::encoding encoding = msgbus::encoding::json;  ///< the encoding of arguments
  header_form form = header_form::full;                ///< which headers requests have
  std::string source = "msgbus";                       ///< the source of CloudEvents
  call_policy policy = {};                             ///< breaker, retries and deadline of calls
};

/// The options of `bridge::durable`. A message is delivered until its handlers succeed, or until it
/// has failed `max_deliver` times.
struct durable_options {
  std::string stream;   ///< the name of the stream
  std::string durable;  ///< the name of the durable consumer; links of the same name share messages
  /// The time after which the server delivers an unsettled message again. A message that is being
  /// handled extends it.
  std::chrono::steady_clock::duration ack_wait = std::chrono::seconds(30);
  unsigned max_deliver = 5;      ///< failures that one process sees; 0: no limit
  std::string dead_letter = {};  ///< the topic for dead letters; empty: the message is discarded
  std::chrono::steady_clock::duration backoff =
      std::chrono::milliseconds(200);  ///< the pause after the first failure
  std::chrono::steady_clock::duration max_backoff =
      std::chrono::seconds(30);   ///< the limit of the doubling pause
  double jitter = 0.2;            ///< the random part of a pause, from 0 to 1
  std::size_t max_in_flight = 0;  ///< delivered and not settled; 0: the mailbox's capacity
  std::string prefix = "events";  ///< the prefix of event topics
  /// After this many deliveries without a settlement, the message is dead-lettered unhandled,
  /// because its handler may end the process. 0: never.
  unsigned crash_limit = 0;
};

/// The options of `bridge::store`.
struct store_options {
  std::string message_id = {};  ///< a repeated id is stored once; empty: a new id
  std::chrono::steady_clock::duration timeout =
      std::chrono::seconds(10);                        ///< the time limit for all attempts
  msgbus::encoding encoding = msgbus::encoding::json;  ///< the encoding of the payload
  msgbus::headers headers = {};          ///< more headers; see `transport::is_header_value`
  std::string prefix = "events";         ///< the prefix of event topics
  header_form form = header_form::full;  ///< which headers; `Nats-Msg-Id` is always present
  std::string source = "msgbus";         ///< the source of CloudEvents
};

}  // namespace msgbus
