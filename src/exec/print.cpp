#include <msgbus/options.hpp>
#include <msgbus/scheduled.hpp>

#include "core/print.hpp"

#include <chrono>
#include <string>

namespace msgbus {

namespace {

std::string name_of_overflow(overflow value) {
  using enum overflow;
  return detail::enumerator<overflow>(value, "overflow",
                                      {{suspend, "suspend"},
                                       {reject, "reject"},
                                       {drop_newest, "drop_newest"},
                                       {drop_oldest, "drop_oldest"}});
}

std::string name_of_missed(missed value) {
  using enum missed;
  return detail::enumerator<missed>(value, "missed", {{skip, "skip"}, {catch_up, "catch_up"}});
}

}  // namespace

std::ostream& operator<<(std::ostream& out, overflow value) {
  return out << name_of_overflow(value);
}

std::ostream& operator<<(std::ostream& out, missed value) { return out << name_of_missed(value); }

std::ostream& operator<<(std::ostream& out, const every_options& value) {
  return out << detail::printed("every_options").written("missed", name_of_missed(value.missed));
}

std::ostream& operator<<(std::ostream& out, const mailbox_options& value) {
  return out << detail::printed("mailbox_options")
                    .member("capacity", value.capacity)
                    .written("on_full", name_of_overflow(value.on_full))
                    .member("concurrency", value.concurrency);
}

std::ostream& operator<<(std::ostream& out, const receipt& value) {
  return out << detail::printed("receipt")
                    .member("admitted", value.admitted)
                    .member("dropped", value.dropped)
                    .member("rejected", value.rejected);
}

std::ostream& operator<<(std::ostream& out, const drain_options& value) {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  const std::string grace =
      value.grace ? std::to_string(duration_cast<milliseconds>(*value.grace).count()) + "ms"
                  : "nullopt";
  return out << detail::printed("drain_options")
                    .written("grace", grace)
                    .member("wait_for_scheduled", value.wait_for_scheduled);
}

std::ostream& operator<<(std::ostream& out, const drain_report& value) {
  return out << detail::printed("drain_report")
                    .member("handled", value.handled)
                    .member("failed", value.failed)
                    .member("abandoned", value.abandoned);
}

}  // namespace msgbus
