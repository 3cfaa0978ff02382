#include <msgbus/detail/async/consumer_core.hpp>

#include <msgbus/detail/async/handler_call.hpp>

#include "async/run_one.hpp"

namespace msgbus::async::detail {

consumer_core::consumer_core(const asio::any_io_executor& executor, const mailbox_options& options,
                             std::shared_ptr<provider> overrides)
    : component_core("the consumer", *this, executor, options, std::move(overrides)) {}

consumer_core::~consumer_core() = default;

std::shared_ptr<consumer_core> consumer_core::make(const asio::any_io_executor& executor,
                                                   const mailbox_options& options,
                                                   std::shared_ptr<provider> overrides) {
  return std::make_shared<consumer_core>(executor, options, std::move(overrides));
}

subscription consumer_core::attach_handler(std::span<const routing::typed_call> calls,
                                           const component::callable_type& type, void* callable,
                                           policy* handler_policy, const registered_at& line) {
  policy asked = policy_for(handler_policy);
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<event_entry>(&asked, order, calls, type, callable, line);
  }));
}

inline bool consumer_core::run_list(routing::handler_range list, component_run& d,
                                    const attachments* by) {
  for (const routing::route_entry* route = list.begin; route != list.end; ++route) {
    const std::uint64_t order = route->entry->order();
    if (order <= d.last) continue;
    if (order >= d.end) break;
    if (d.only != 0 && order != d.only) continue;
    if (!route->entry->active()) continue;
    if (d.cancelled) {
      d.stopped = true;
      break;
    }
    d.last = order;
    if (run_one(*route, d, by)) {
      d.is_last = route + 1 == list.end;
      return true;
    }
  }
  return false;
}

bool consumer_core::run_inline(value_ref message, const msgbus::context& ctx, failures& failed,
                               bool from_mailbox) {
  const routing::guard guard(guarded());
  const routing::quick_route* const found = find_route(message.type);
  return call_sole(found ? found->sole() : nullptr, message, ctx, failed, from_mailbox);
}

bool consumer_core::advance(component_run& d) {
  const routing::guard guard(guarded());
  const attachments* const by = shared.attached_observer.attachments_now();
  if (d.is_last) {  // handlers that were attached since then get the next event (D4)
    return settle_quickly(d, by);
  }
  if (!d.begun) begin_quickly(d, by);
  const routing::handler_range every(any());
  if (!d.typed_done) {
    const routing::handler_range typed(find(d.message.type));
    if (run_list(typed, d, by)) {
      d.is_last = d.is_last && every.begin == every.end;
      return true;
    }
    d.typed_done = true;
    d.last = 0;
  }
  if (every.begin != every.end && run_list(every, d, by)) return true;
  return settle_quickly(d, by);
}

void consumer_core::shutdown() noexcept {
  senders.drop_all();
  component_core::end();
  router::shutdown();
}

}  // namespace msgbus::async::detail
