#include <msgbus/bridge/detail/outbound.hpp>

namespace msgbus::bridging {

void way_out::send(std::string topic, payload made, std::string_view type, const context& about) {
  try {
    const stamping with{.type = type, .about = about, .form = how_.form, .source = how_.source};
    const envelope out = stamped(hub_->ids, std::move(topic), std::move(made), with);
    hub_->wire->publish(out, transport::urgency::bulk);
  } catch (...) {
    not_sent();
    throw;
  }
  sent_.fetch_add(1, std::memory_order_relaxed);
}

link_counters way_out::stats() const noexcept {
  link_counters all;
  all.sent = sent_.load(std::memory_order_relaxed);
  all.unsent = unsent_.load(std::memory_order_relaxed);
  return all;
}

}  // namespace msgbus::bridging
