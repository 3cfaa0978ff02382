#include <msgbus/detail/async/host_member.hpp>

#include <msgbus/detail/observe/duration_histogram.hpp>

#include "observe/graph_builder.hpp"

#include <algorithm>

namespace msgbus::async::detail {

namespace {

std::string name_for(std::string given, const component_core& of) {
  return given.empty() ? std::string(of.called().name()) : std::move(given);
}

}  // namespace

void host_member::describe(msgbus::detail::graph_builder& to) const {
  if (exists()) to.component(this, kind()).name = name();
}

void core_member::describe(msgbus::detail::graph_builder& to) const {
  if (const std::shared_ptr<component_core> now = core_.lock()) now->describe_to(to, name());
}

core_member::core_member(std::string name, const std::shared_ptr<component_core>& of)
    : host_member(name_for(std::move(name), *of), of->called().kind()), core_(of) {}

asio::awaitable<drain_report> core_member::drain(duration deadline) {
  const std::shared_ptr<component_core> now = core_.lock();
  if (!now) co_return drain_report{};
  if (!before_) before_ = now->stats();
  (void)co_await component_core::drain(now, deadline, {});
  const counters after = now->stats();
  drain_report report;
  report.handled = after.handled - before_->handled;
  report.failed = after.failed - before_->failed;
  // It may have decreased: a message that an earlier drain wrote off was handled after all.
  report.abandoned = after.abandoned - std::min(after.abandoned, before_->abandoned);
  co_return report;
}

void core_member::give_name() {
  if (const std::shared_ptr<component_core> now = core_.lock()) now->called().set(name());
}

void core_member::observe(const std::shared_ptr<observer>& observer) {
  if (const std::shared_ptr<component_core> now = core_.lock()) {
    now->shared.attached_observer.set(now->routes().guarded(), observer);
  }
}

void core_member::trace(const std::shared_ptr<tracer>& tracer) {
  if (const std::shared_ptr<component_core> now = core_.lock()) now->trace(tracer);
}

std::optional<component_stats> core_member::stats() const {
  const std::shared_ptr<component_core> now = core_.lock();
  if (!now) return std::nullopt;
  component_stats all{name(), std::string(kind())};
  all.counts = now->stats();
  all.waiting = now->mailbox.size();
  all.capacity = now->mailbox.capacity();
  const counters& counts = all.counts;
  const std::uint64_t settled =
      counts.handled + counts.failed + counts.dropped + counts.abandoned + all.waiting;
  all.in_flight = counts.accepted > settled ? counts.accepted - settled : 0;
  return all;
}

component_details core_member::details() const {
  component_details all;
  const std::shared_ptr<component_core> now = core_.lock();
  if (!now) return all;
  all.scheduled = now->due_later();
  if (const auto sent = now->mailbox.oldest_sent()) {
    all.oldest_waiting = exec::since(*sent, times_now());
  }
  all.concurrency = now->mailbox.concurrency();
  all.blocked_senders = now->mailbox.blocked_senders();
  all.repeated = now->repeated();
  all.closed = now->closed();
  return all;
}

std::shared_ptr<const measured_times> core_member::measure(std::uint32_t sample) {
  const std::shared_ptr<component_core> now = core_.lock();
  return now ? now->measure(sample) : nullptr;
}

}  // namespace msgbus::async::detail
