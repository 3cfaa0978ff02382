#include <msgbus/detail/async/fan_out_core.hpp>

#include <msgbus/detail/async/subscriber_core.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/error.hpp>

#include "async/fan_out_schedule.hpp"
#include "async/verb_run.hpp"
#include "core/text.hpp"

#include <asio/this_coro.hpp>

#include <string>

namespace msgbus::async::detail {

fan_out_core::fan_out_core(const char* kind) : kind_(kind) {}

fan_out_core::~fan_out_core() {
  recurring_schedules* const made = recurring_.get();
  if (!made) return;
  for (const auto& each : made->all) {
    if (const auto there = each.lock()) (void)there->cancel({});
  }
}

std::shared_ptr<fan_out_core> fan_out_core::make(const char* kind) {
  return std::make_shared<fan_out_core>(kind);
}

void fan_out_core::bind(const std::shared_ptr<component_core>& target,
                        const std::source_location& line) {
  target->senders.bind(*this, target, {.line = line});
}

void fan_out_core::bind_one_of(const targets& members, pick_options options) {
  const auto group = std::make_shared<one_of_group>(std::move(options), *this);
  for (const auto& each : members) group->bind(each);
  (void)attach(&group_entry::mark,
               [&](std::uint64_t order) { return std::make_shared<group_entry>(order, group); });
}

/// For each that is bound `take(target, among)`, or `choose(group, among)` for several of which one
/// is to be chosen; `among`: how many there are from here on, or more. Under a guard: they must not
/// wait.
template <class Take, class Choose>
void fan_out_core::for_bound(Take take, Choose choose) const {
  const routing::guard guard(guarded());
  const routing::handler_range list(entries());
  for (const routing::route_entry* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    const auto among = static_cast<std::size_t>(list.end - each);
    if (each->call == &group_entry::mark) [[unlikely]] {
      choose(static_cast<group_entry*>(each->entry)->group(), among);
    } else {
      take(static_cast<component::binding<component_core>*>(each->entry)->target(), among);
    }
  }
}

void fan_out_core::for_each_bound(function_ref<void(component_core&)> take,
                                  function_ref<void(const one_of_group&)> choose) const {
  for_bound([&](component_core& to, std::size_t) { take(to); },
            [&](const auto& group, std::size_t) { choose(*group); });
}

void fan_out_core::unbind(component_core& target) {
  target.senders.unbind(*this);
  std::vector<std::shared_ptr<one_of_group>> groups;
  for_bound([](component_core&, std::size_t) {},
            [&](const auto& group, std::size_t) { groups.push_back(group); });
  for (const auto& each : groups) each->unbind(target);
}

targets fan_out_core::bound() const {
  targets all;
  for_bound([&](component_core& to, std::size_t) { all.push_back(to.self()); },
            [&](const auto& group, std::size_t) { group->add_all(all); });
  return all;
}

namespace {

/// The component that an awaited verb chooses; null: none is bound.
component_core* chosen(const one_of_group& group, const one_of_group::preference& among) {
  component_core* open = nullptr;
  for (std::size_t i = 0; i < among.size(); ++i) {
    component_core& each = among[i];
    if (each.closed() || !each.mailbox.can_run()) continue;
    if (!group.passes_over() || !each.mailbox.is_full()) return &each;
    if (!open) open = &each;
  }
  if (open || among.size() == 0) return open;
  return &among[0];
}

}  // namespace

targets fan_out_core::chosen_for(value_ref message, std::string_view topic) const {
  targets all;
  for_bound([&](component_core& to, std::size_t) { all.push_back(to.self()); },
            [&](const auto& group, std::size_t) {
              const one_of_group::preference preferred(*group, message, topic);
              if (component_core* const to = chosen(*group, preferred)) all.push_back(to->self());
            });
  return all;
}

void fan_out_core::give(verb_run& run) {
  for_bound([&](component_core& to, std::size_t among) { run.deliver(to, among); },
            [&](const auto& group, std::size_t among) {
              const one_of_group::preference preferred(*group, run.message(), run.topic());
              if (component_core* const to = chosen(*group, preferred)) run.deliver(*to, among);
            });
}

auto fan_out_core::handle_inline(exec::queued_message& message, bool after_yield) const -> at_once {
  const routing::guard guard(guarded());
  const routing::handler_range list(entries());
  if (list.end - list.begin != 1 || list.begin->call == &group_entry::mark ||
      !list.begin->entry->active()) {
    return at_once::no;
  }
  component_core& to =
      static_cast<component::binding<component_core>*>(list.begin->entry)->target();
  if (!to.mailbox.allows_handling_by_senders()) [[likely]]
    return at_once::no;
  if (!after_yield && to.mailbox.senders_should_yield()) return at_once::yield_first;
  return try_handle(to, message) ? at_once::handled : at_once::no;
}

receipt fan_out_core::offer_one(component_core& to, const exec::shared_message& message,
                                full_mailboxes* full) {
  if (try_handle(to, *message)) return {.admitted = 1};
  exec::send_operation out(message);
  const exec::put result = detail::offer(to, out);
  if (full && result == exec::put::full && waits_when_full(to)) {
    full->push_back({to.self()});
    return {};
  }
  return receipt_for(result, to, out);
}

receipt fan_out_core::offer_among(const one_of_group& group, const exec::shared_message& message,
                                  full_mailboxes* full, bool& is_bound) {
  const one_of_group::preference preferred(group, message->message(), message->topic());
  if (preferred.size() == 0) return {};
  is_bound = true;
  component_core* decides = nullptr;  // the first that is open, where none has space
  targets waits;
  for (std::size_t i = 0; i < preferred.size(); ++i) {
    component_core& to = preferred[i];
    exec::send_operation out(message);
    // One that drops is not asked while it is full.
    const bool drops = to.mailbox.on_full() == overflow::drop_newest ||
                       to.mailbox.on_full() == overflow::drop_oldest;
    exec::put result = exec::put::full;
    if (to.mailbox.closed()) {
      result = exec::put::closed;
    } else if (!group.passes_over() || !drops || !to.mailbox.is_full()) {
      result = detail::offer(to, out);
    }
    if (result == exec::put::closed) continue;
    if (result != exec::put::full) return receipt_for(result, to, out);
    if (!decides) decides = &to;
    if (full && waits_when_full(to)) waits.push_back(to.self());
    if (!group.passes_over()) break;
  }
  if (!waits.empty()) {
    full->push_back(std::move(waits));
    return {};
  }
  component_core& to = decides ? *decides : preferred[0];
  exec::send_operation out(message);
  return receipt_for(detail::offer(to, out), to, out);
}

receipt fan_out_core::offer(const exec::shared_message& message, full_mailboxes* full) {
  receipt total;
  bool is_bound = false;
  for_bound(
      [&](component_core& to, std::size_t) {
        is_bound = true;
        total += offer_one(to, message, full);
      },
      [&](const auto& group, std::size_t) {
        total += offer_among(*group, message, full, is_bound);
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
  const routing::guard guard(guarded());
  if (observer* const observer = attached_observer.get()) observer->unrouted(step);
}

void fan_out_core::failed_to_make(const msgbus::step& step,
                                  const std::exception_ptr& why) noexcept {
  const routing::guard guard(guarded());
  if (observer* const observer = attached_observer.get()) return observer->failed(step, why);
  msgbus::detail::say({"every() could not make ", step.message, step.topic.empty() ? "" : " on ",
                       step.topic, ", and no observer is attached: "},
                      why);
}

void fan_out_core::keep(const std::shared_ptr<fan_out_every>& started) {
  recurring_schedules& kept = recurring_.made();
  const std::lock_guard lock(kept.mutex);
  std::erase_if(kept.all, [](const auto& each) { return each.expired(); });
  kept.all.push_back(started);
}

asio::awaitable<receipt> send_bound(std::shared_ptr<fan_out_core> self,
                                    exec::owned_message message) {
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool is_cancellable = state.slot().is_connected();
  if (!is_cancellable && !current_cause()) {
    auto done = self->handle_inline(message.get(), false);
    if (done == fan_out_core::at_once::yield_first) {
      co_await exec::yield_to_others();
      done = self->handle_inline(message.get(), true);
    }
    if (done == fan_out_core::at_once::handled) co_return receipt{.admitted = 1};
  }
  exec::shared_message shared = share(message);
  if (is_cancellable) co_await pass_through_executor();
  full_mailboxes full;
  receipt total = self->offer(shared, &full);
  if (!full.empty()) total += co_await send_to_full(std::move(full), std::move(shared));
  co_return total;
}

receipt post_bound(fan_out_core& self, exec::queued_message& message) {
  if (!current_cause() && self.handle_inline(message, true) == fan_out_core::at_once::handled) {
    return {.admitted = 1};
  }
  return self.offer(exec::shared_with_cause(message.share()), nullptr);
}

receipt send_blocking_bound(fan_out_core& self, exec::queued_message& message,
                            std::chrono::steady_clock::duration timeout) {
  const auto deadline = saturating_add(std::chrono::steady_clock::now(), timeout);
  const exec::shared_message shared = exec::shared_with_cause(message.share());
  full_mailboxes full;
  receipt total = self.offer(shared, &full);
  if (!full.empty()) total += send_blocking_to_full(full, shared, deadline);
  return total;
}

}  // namespace msgbus::async::detail
