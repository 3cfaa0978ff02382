#include <msgbus/bridge/dead_letters.hpp>
#include <msgbus/detail/bridge/link_state.hpp>

#include "core/print.hpp"

namespace msgbus {

std::ostream& operator<<(std::ostream& out, const link_counters& value) {
  return out << detail::printed("link_counters")
                    .member("sent", value.sent)
                    .member("unsent", value.unsent)
                    .member("waiting", value.waiting)
                    .member("received", value.received)
                    .member("redelivered", value.redelivered)
                    .member("admitted", value.admitted)
                    .member("undecodable", value.undecodable)
                    .member("refused", value.refused)
                    .member("dropped", value.dropped)
                    .member("answered", value.answered)
                    .member("errors", value.errors)
                    .member("acks", value.acks)
                    .member("naks", value.naks)
                    .member("dead_lettered", value.dead_lettered)
                    .member("unsettled", value.unsettled)
                    .member("in_flight", value.in_flight)
                    .member("shortened", value.shortened)
                    .member("replayed", value.replayed);
}

std::ostream& operator<<(std::ostream& out, const stored_dead_letter& value) {
  return out << detail::printed("stored_dead_letter")
                    .member("id", value.id)
                    .member("message", value.message)
                    .member("handler", value.handler)
                    .member("reason", value.reason)
                    .member("attempts", value.attempts)
                    .member("topic", value.topic)
                    .member("message_id", value.message_id)
                    .member("stream", value.stream)
                    .member("durable", value.durable)
                    .member("sequence", value.sequence)
                    .member("missing", value.missing);
}

}  // namespace msgbus
