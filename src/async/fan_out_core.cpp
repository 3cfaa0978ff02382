#include <msgbus/detail/async/fan_out_core.hpp>

#include <msgbus/detail/async/subscriber_core.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/error.hpp>

#include "async/verb_run.hpp"

#include <asio/this_coro.hpp>

#include <string>

namespace msgbus::async::detail {

fan_out_core::fan_out_core() = default;

fan_out_core::~fan_out_core() = default;

std::shared_ptr<fan_out_core> fan_out_core::make() { return std::make_shared<fan_out_core>(); }

void fan_out_core::bind(const std::shared_ptr<core>& target) {
  target->senders.bind(*this, target);
}

void fan_out_core::unbind(core& target) { target.senders.unbind(*this); }

/// `take(target, among)` for each that is bound; `among`: how many there are from here on, or more.
/// Under a guard: `take` must not wait.
template <class Take>
void fan_out_core::for_each_bound(Take take) const {
  const snapshot::guard guard(guarded());
  const routing::handler_range list(entries());
  for (const routing::route_entry* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    take(static_cast<component::binding<core>*>(each->entry)->target(),
         static_cast<std::size_t>(list.end - each));
  }
}

targets fan_out_core::bound() const {
  targets all;
  for_each_bound([&](core& to, std::size_t) { all.push_back(to.self()); });
  return all;
}

void fan_out_core::give(verb_run& run) {
  for_each_bound([&](core& to, std::size_t among) { run.deliver(to, among); });
}

receipt fan_out_core::offer(const exec::shared_message& message, targets* full) {
  receipt total;
  bool is_bound = false;
  for_each_bound([&](core& to, std::size_t) {
    is_bound = true;
    exec::send_operation out(message);
    const exec::put result = detail::offer(to, out);
    if (full && result == exec::put::full && waits_when_full(to)) {
      full->push_back(to.self());
    } else {
      total += receipt_for(result, to, out);
    }
  });
  if (!is_bound) count_unrouted({message->message().type->name, message->topic()});
  return total;
}

void fan_out_core::nothing_ran(const msgbus::step& message, value_ref value, bool refused) {
  count_unrouted(message);
  if (!refused) return;
  std::string handlers;
  for (const auto& each : bound()) {
    const std::string here = each->describe_handlers(message.topic);
    if (!here.empty()) handlers += (handlers.empty() ? "" : "; ") + here;
  }
  throw not_taken(value, message.topic, handlers);
}

void fan_out_core::count_unrouted(const msgbus::step& step) noexcept {
  unrouted.add();
  const snapshot::guard guard(guarded());
  if (observer* const observer = attached_observer.get()) observer->unrouted(step);
}

asio::awaitable<receipt> send_bound(std::shared_ptr<fan_out_core> self,
                                    exec::held_message message) {
  exec::shared_message shared = share(message);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  targets full;
  receipt total = self->offer(shared, &full);
  if (!full.empty()) total += co_await send_to_full(std::move(full), std::move(shared));
  co_return total;
}

receipt post_bound(fan_out_core& self, exec::queued_message& message) {
  return self.offer(exec::shared_with_cause(message.share()), nullptr);
}

receipt send_blocking_bound(fan_out_core& self, exec::queued_message& message,
                            std::chrono::steady_clock::duration timeout) {
  const targets all = self.bound();
  const exec::shared_message shared = exec::shared_with_cause(message.share());
  if (all.empty()) self.count_unrouted({shared->message().type->name, shared->topic()});
  return send_blocking_to_all(all, shared, timeout);
}

}  // namespace msgbus::async::detail
