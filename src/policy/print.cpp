#include "core/print.hpp"

#include <msgbus/dead_letter.hpp>
#include <msgbus/error.hpp>
#include <msgbus/failure.hpp>
#include <msgbus/pick.hpp>
#include <msgbus/retry.hpp>

namespace msgbus {

std::ostream& operator<<(std::ostream& out, backoff_kind value) {
  using enum backoff_kind;
  return out << detail::enumerator<backoff_kind>(
             value, "backoff_kind",
             {{exponential, "exponential"}, {linear, "linear"}, {constant, "constant"}});
}

std::ostream& operator<<(std::ostream& out, pick value) {
  using enum pick;
  return out << detail::enumerator<pick>(
             value, "pick",
             {{round_robin, "round_robin"}, {least_waiting, "least_waiting"}, {key, "key"}});
}

std::ostream& operator<<(std::ostream& out, const failure& value) {
  return out << detail::printed("failure")
                    .member("error", value.error ? describe(value.error) : std::string())
                    .member("topic", value.topic)
                    .member("message_id", value.message_id);
}

std::ostream& operator<<(std::ostream& out, const dead_letter& value) {
  return out << detail::printed("dead_letter")
                    .member("id", value.id)
                    .member("message", value.message)
                    .member("handler", value.handler)
                    .member("reason", value.reason)
                    .member("attempts", value.attempts)
                    .member("topic", value.topic)
                    .member("message_id", value.message_id);
}

std::ostream& operator<<(std::ostream& out, const dead_letter_counters& value) {
  return out << detail::printed("dead_letter_counters")
                    .member("added", value.added)
                    .member("replayed", value.replayed)
                    .member("discarded", value.discarded)
                    .member("dropped", value.dropped);
}

}  // namespace msgbus
