#pragma once

// Common functions for tests of the NATS transport.

#include <msgbus/nats/options.hpp>

#include "support/loop.hpp"
#include "support/nats_server.hpp"

#include <memory>
#include <string>

namespace msgbus_test {

using namespace std::chrono_literals;

/// A generous limit for operations that must complete.
inline constexpr auto time_limit = std::chrono::seconds(30);

using transport_ptr = std::shared_ptr<msgbus::transport::transport>;

inline transport_ptr connect(loop& in, const msgbus::nats::options& how) {
  return in.run(msgbus::nats::open(in.executor(), how));
}
inline transport_ptr connect(loop& in, const nats_server& to) {
  return connect(in, msgbus::nats::options{.url = to.url()});
}

/// A message with an id, for a store.
inline msgbus::envelope numbered_message(const std::string& topic, int number) {
  msgbus::envelope made{topic};
  made.payload = std::to_string(number);
  made.headers.emplace(msgbus::header::message_id, topic + '-' + made.payload);
  return made;
}

inline void ensure_stream(loop& in, msgbus::transport::transport& at, const std::string& name,
                          std::vector<std::string> topics, bool in_memory = false) {
  msgbus::transport::stream_options stream;
  stream.name = name;
  stream.topics = std::move(topics);
  stream.in_memory = in_memory;
  in.run(at.ensure_stream(std::move(stream)));
}

/// Stores `count` messages, one after the other.
inline void store(loop& in, msgbus::transport::transport& at, const std::string& topic, int count,
                  int first = 0) {
  for (int i = first; i < first + count; ++i) {
    in.run(at.store(numbered_message(topic, i), time_limit));
  }
}

}  // namespace msgbus_test
