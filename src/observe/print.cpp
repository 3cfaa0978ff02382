#include <msgbus/counters.hpp>
#include <msgbus/observer.hpp>

#include "core/print.hpp"

namespace msgbus {

std::ostream& operator<<(std::ostream& out, const step& value) {
  detail::printed members("step");
  members.member("message", value.message).member("topic", value.topic);
  if (!value.component.empty()) members.member("component", value.component);
  return out << members;
}

std::ostream& operator<<(std::ostream& out, const counters& value) {
  return out << detail::printed("counters")
                    .member("offered", value.offered)
                    .member("accepted", value.accepted)
                    .member("rejected", value.rejected)
                    .member("handled", value.handled)
                    .member("failed", value.failed)
                    .member("dropped", value.dropped)
                    .member("abandoned", value.abandoned)
                    .member("unrouted", value.unrouted)
                    .member("overran", value.overran)
                    .member("scheduled", value.scheduled);
}

}  // namespace msgbus
