#pragma once

/// What users say of bridges.

#include <msgbus/core/context.hpp>
#include <msgbus/exec/options.hpp>
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

/// Of a connection's bridges together.
struct bridge_options {
  /// Told of what goes wrong where nobody waits for it: `where` names the link. Called from any
  /// thread. Without it, it is one line on stderr. What it throws itself is another line there, and
  /// changes nothing.
  std::function<void(std::string_view where, const std::exception_ptr& what)> on_failure = {};
};

/// Messages on their way out pass through a mailbox, like those to any component.
struct outbound_options {
  mailbox_options mailbox = {};
  msgbus::encoding encoding = msgbus::encoding::json;
  std::string prefix = "events";  ///< of events: `<prefix>.<name>` is their topic
  header_form form = header_form::full;
  std::string source = "msgbus";  ///< of CloudEvents: a URI reference, such as `/shop/orders`
};

struct inbound_options {
  std::string queue_group = {};  ///< of those with the same, in whatever processes, one gets it
  std::size_t buffer = 1024;     ///< messages kept until the component's mailbox has room
  std::string prefix = "events";
};

struct serve_options {
  std::string queue_group = "msgbus";  ///< of several that serve the same, one answers
  std::size_t concurrency = 256;       ///< commands carried out at once
  std::size_t buffer = 1024;           ///< commands kept until they can begin
  msgbus::encoding encoding = msgbus::encoding::json;  ///< of answers
  header_form form = header_form::full;                ///< of answers; errors have their headers
  std::string source = "msgbus";                       ///< of CloudEvents
  // What discovery says:
  std::string name = {};  ///< letters, digits, `-` and `_`; empty: made from the prefix
  std::string version = "0.0.0";
  std::string description = {};
};

struct call_options {
  std::chrono::steady_clock::duration timeout = std::chrono::seconds(5);
  msgbus::encoding encoding = msgbus::encoding::json;
  header_form form = header_form::full;  ///< of requests
  std::string source = "msgbus";         ///< of CloudEvents
};

/// A message is delivered until its handlers have ended well; it may fail `max_deliver` times.
struct durable_options {
  std::string stream;
  std::string durable;  ///< the name that those who share the messages share
  std::chrono::steady_clock::duration ack_wait = std::chrono::seconds(30);
  unsigned max_deliver = 5;      ///< failures that one process sees; 0: for ever
  std::string dead_letter = {};  ///< where it is stored then, with the reason; empty: nowhere
  std::chrono::steady_clock::duration backoff =
      std::chrono::milliseconds(200);  ///< after the first failure
  std::chrono::steady_clock::duration max_backoff =
      std::chrono::seconds(30);  ///< it doubles so far
  double jitter = 0.2;
  std::size_t max_in_flight = 0;  ///< taken and not settled; 0: the mailbox's capacity
  std::string prefix = "events";
  /// Deliveries whose outcome nobody has told, after which a message is given up untried: it may
  /// end every process that handles it. 0: never.
  unsigned crash_limit = 0;
};

struct store_options {
  std::string message_id = {};  ///< by which a second one is recognised; empty: one that is new
  std::chrono::steady_clock::duration timeout = std::chrono::seconds(10);
  msgbus::encoding encoding = msgbus::encoding::json;
  msgbus::headers headers = {};  ///< in addition; as `transport::is_header_value` has them
  std::string prefix = "events";
  header_form form = header_form::full;  ///< all have a `Nats-Msg-Id`: the stream needs it
  std::string source = "msgbus";         ///< of CloudEvents
};

}  // namespace msgbus
