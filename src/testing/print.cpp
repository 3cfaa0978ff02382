#include <msgbus/error.hpp>
#include <msgbus/testing/conformance.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "core/print.hpp"

namespace msgbus::testing {

namespace {

std::string name_of_seen(seen value) {
  using enum seen;
  return msgbus::detail::enumerator<seen>(value, "seen",
                                          {{received, "received"},
                                           {accepted, "accepted"},
                                           {delivered, "delivered"},
                                           {failed, "failed"},
                                           {dropped, "dropped"},
                                           {abandoned, "abandoned"},
                                           {unrouted, "unrouted"},
                                           {rejected, "rejected"}});
}

std::string name_of_verdict(conformance_result::verdict value) {
  using enum conformance_result::verdict;
  return msgbus::detail::enumerator<conformance_result::verdict>(
      value, "verdict", {{passed, "passed"}, {failed, "failed"}, {skipped, "skipped"}});
}

}  // namespace

std::ostream& operator<<(std::ostream& out, seen value) { return out << name_of_seen(value); }

std::ostream& operator<<(std::ostream& out, const sighting& value) {
  msgbus::detail::printed text("sighting");
  text.written("what", name_of_seen(value.what))
      .member("message", value.message)
      .member("topic", value.topic);
  if (value.failure) text.member("failure", describe(value.failure));
  return out << text;
}

std::ostream& operator<<(std::ostream& out, teardown value) {
  using enum teardown;
  return out << msgbus::detail::enumerator<teardown>(
             value, "teardown",
             {{context_first, "context_first"},
              {components_first, "components_first"},
              {components_first_then_run, "components_first_then_run"},
              {both, "both"},
              {every, "every"}});
}

std::ostream& operator<<(std::ostream& out, const cut_off_report& value) {
  return out << msgbus::detail::printed("cut_off_report")
                    .member("steps", value.steps)
                    .member("cuts", value.cuts);
}

std::ostream& operator<<(std::ostream& out, const shuffled& value) {
  return out << msgbus::detail::printed("shuffled").member("seed", value.seed);
}

std::ostream& operator<<(std::ostream& out, const conformance_case& value) {
  return out << msgbus::detail::printed("conformance_case").member("name", value.name);
}

std::ostream& operator<<(std::ostream& out, conformance_result::verdict value) {
  return out << name_of_verdict(value);
}

std::ostream& operator<<(std::ostream& out, const conformance_result& value) {
  return out << msgbus::detail::printed("conformance_result")
                    .written("status", name_of_verdict(value.status))
                    .member("why", value.why);
}

}  // namespace msgbus::testing
