#include <msgbus/detail/bridge/outbound.hpp>

namespace msgbus::bridging {

void outbound_sender::send(std::string topic, payload made, std::string_view type,
                           const context& ctx) {
  try {
    const envelope_metadata with{
        .type = type, .ctx = ctx, .form = format_.form, .source = format_.source};
    const envelope out = make_envelope(hub_->ids, std::move(topic), std::move(made), with);
    hub_->wire->publish(out, transport::urgency::bulk);
  } catch (...) {
    not_sent();
    throw;
  }
  sent_.fetch_add(1, std::memory_order_relaxed);
}

link_counters outbound_sender::stats() const noexcept {
  link_counters all;
  all.sent = sent_.load(std::memory_order_relaxed);
  all.unsent = unsent_.load(std::memory_order_relaxed);
  return all;
}

}  // namespace msgbus::bridging
