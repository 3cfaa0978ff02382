#include <msgbus/detail/bridge/outbound.hpp>

#include <msgbus/detail/bridge/event_types.hpp>
#include <msgbus/error.hpp>

#include "bridge/trace.hpp"

#include <algorithm>

namespace msgbus::bridging {

void outbound_sender::send(std::string_view topic, msgbus::detail::encoded made,
                           std::string_view type, const context& ctx) {
  const bool is_measured = hub_->measures();
  const std::int64_t began = is_measured ? detail::times_now() : 0;
  const auto took = [&](detail::duration_histogram measured_operation::* which) {
    if (!is_measured) return;
    (hub_->operation(times_, "send", topics_).*which).add(detail::times_now() - began);
  };
  const outbound_span traced = begin_outbound(*hub_, span_kind::producer, "send", topic, ctx);
  try {
    const envelope_metadata with{
        .type = type, .ctx = traced.ctx, .form = format_.form, .source = format_.source};
    reused_envelope out;
    make_envelope(out.get(), hub_->ids, topic, std::move(made), with);
    hub_->wire->publish(out.get(), transport::urgency::bulk);
  } catch (...) {
    if (traced.span) traced.span->fail(std::current_exception());
    not_sent();
    took(&measured_operation::failed);
    throw;
  }
  took(&measured_operation::ended);
  sent_.fetch_add(1, std::memory_order_relaxed);
}

link_counters outbound_sender::stats() const noexcept {
  link_counters all;
  all.sent = sent_.load(std::memory_order_relaxed);
  all.unsent = unsent_.load(std::memory_order_relaxed);
  return all;
}

// --- Topics of events. ---------------------------------------------------------------------------

void check_topics_differ(const std::vector<event_type>& types,
                         const std::vector<event_type>& others) {
  for (const event_type& one : types) {
    for (const event_type& other : others) {
      if (one.topic != other.topic || one.name == other.name) continue;
      throw error(errc::bad_arguments,
                  "events of the types '" + std::string(one.name) + "' and '" +
                      std::string(other.name) + "' have the same topic, '" + one.topic +
                      "': give one of them another name (msgbus::name_of) or prefix");
    }
  }
}

std::vector<std::string> topics_of(const std::vector<event_type>& types) {
  std::vector<std::string> topics;
  for (const event_type& each : types) {
    if (std::find(topics.begin(), topics.end(), each.topic) == topics.end()) {
      topics.push_back(each.topic);
    }
  }
  return topics;
}

}  // namespace msgbus::bridging
