// Values of the host as text.

#include <msgbus/async/host_report.hpp>

#include <msgbus/error.hpp>

#include "core/print.hpp"

#include <sstream>

namespace msgbus::async {

namespace {

template <class T>
std::string text_of(const T& value) {
  std::ostringstream out;
  out << value;
  return std::move(out).str();
}

}  // namespace

drain_report host_report::total() const noexcept {
  drain_report all;
  for (const component_report& each : components) {
    all.handled += each.report.handled;
    all.failed += each.report.failed;
    all.abandoned += each.report.abandoned;
  }
  return all;
}

bool host_report::complete() const noexcept {
  for (const component_report& each : components) {
    if (each.failure || each.report.abandoned != 0) return false;
  }
  return true;
}

std::ostream& operator<<(std::ostream& out, const component_report& value) {
  msgbus::detail::printed members("component_report");
  members.member("name", std::string_view(value.name))
      .member("kind", std::string_view(value.kind))
      .written("report", text_of(value.report))
      .member("destroyed", value.destroyed);
  if (value.failure) {
    members.member("failure", std::string_view(describe(value.failure)));
  }
  return out << members;
}

std::ostream& operator<<(std::ostream& out, const host_report& value) {
  std::string all = "{";
  for (const component_report& each : value.components) {
    if (all.size() > 1) all += ", ";
    all += text_of(each);
  }
  using std::chrono::duration_cast, std::chrono::milliseconds;
  return out << msgbus::detail::printed("host_report")
                    .written("components", all + '}')
                    .written("took",
                             std::to_string(duration_cast<milliseconds>(value.took).count()) + "ms")
                    .member("at_once", value.at_once);
}

std::ostream& operator<<(std::ostream& out, const component_stats& value) {
  return out << msgbus::detail::printed("component_stats")
                    .member("name", std::string_view(value.name))
                    .member("kind", std::string_view(value.kind))
                    .written("counts", text_of(value.counts))
                    .member("waiting", value.waiting)
                    .member("capacity", value.capacity)
                    .member("in_flight", value.in_flight);
}

}  // namespace msgbus::async
