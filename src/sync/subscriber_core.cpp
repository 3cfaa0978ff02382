#include <msgbus/detail/sync/subscriber_core.hpp>

#include <msgbus/detail/sync/component_run.hpp>

#include <msgbus/detail/core/convert.hpp>
#include <msgbus/error.hpp>
#include <msgbus/topic.hpp>

#include "component/explain.hpp"
#include "sync/trace_verb.hpp"

namespace msgbus::sync::detail {

subscriber_core::subscriber_core(std::shared_ptr<provider> overrides)
    : shared(std::move(overrides)) {}

subscriber_core::~subscriber_core() = default;

std::shared_ptr<subscriber_core> subscriber_core::make(std::shared_ptr<provider> overrides) {
  return std::make_shared<subscriber_core>(std::move(overrides));
}

template class fan_out_base<subscriber_core>;

publisher_core::publisher_core() = default;

publisher_core::~publisher_core() = default;

std::shared_ptr<publisher_core> publisher_core::make() {
  return std::make_shared<publisher_core>();
}

namespace {

error mismatch(const posting& posted, const std::string& handlers) {
  return {errc::type_mismatch,
          component::no_handler_accepts(describe(posted.message), posted.ctx.topic(), handlers)};
}

/// Whether nothing ran because no handler accepts the type (T6).
bool is_mismatch(const posting& posted, std::size_t ran) noexcept {
  return ran == 0 && posted.refused && posted.failed.empty();
}

}  // namespace

subscription subscriber_core::attach_handler(std::initializer_list<std::string_view> patterns,
                                             const component::message_calls& calls,
                                             const component::callable_type& type, void* callable,
                                             const registered_at& line) {
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<component::message_entry>(order, routing::checked_patterns(patterns),
                                                      calls, type, callable, line);
  }));
}

inline bool subscriber_core::deliver_short(value_ref message, std::string_view topic,
                                           std::size_t hash) const {
  const routing::quick_route* const only = find_only_route(topic, hash);
  routing::entry* const sole = only ? only->sole() : nullptr;
  if (!sole || shared.attached_observer.attachments_now()) return false;
  try {
    return reinterpret_cast<call_plain_typed>(sole->plain())(*sole, message, shared);
  } catch (...) {
    pass_on_caught();
    return true;
  }
}

std::size_t subscriber_core::deliver(posting& posted, arrival path) const {
  const routing::guard guard(guarded());
  routing::merged_handlers found;
  find(posted.ctx.topic(), posted.hash, found);

  posted.component = &shared;
  if (const attachments* const by = shared.attached_observer.attachments_now()) [[unlikely]] {
    return deliver_watched(posted, found, *by, path);
  }
  std::size_t ran = 0;
  const auto run = [&](const routing::route_entry& each) {
    if (run_one(each, posted)) {
      ++ran;
    } else if (each.entry->active()) {
      posted.refused = true;
    }
  };
  found.for_each(run);
  if (ran == 0) shared.unrouted.add();
  return ran;
}

std::size_t subscriber_core::deliver_watched(posting& posted, routing::merged_handlers& found,
                                             const attachments& by, arrival path) const {
  if (by.observer) by.observer->accepted(posted.step());
  const char* const verb = path == arrival::direct        ? "receive"
                           : path == arrival::from_sender ? "publish"
                                                          : nullptr;
  verb_span span(by, posted, verb, trace_start::of(by, verb));
  std::size_t ran = 0;
  const auto run = [&](const routing::route_entry& each) {
    if (run_watched(each, posted, by)) {
      ++ran;
    } else if (each.entry->active()) {
      posted.refused = true;
    }
  };
  found.for_each(run);
  if (ran == 0) {
    shared.unrouted.add();
    if (by.observer) by.observer->unrouted(posted.step());
  }
  if (path == arrival::direct && is_mismatch(posted, ran) && span.is_sampled()) {
    span.fail(std::make_exception_ptr(mismatch(posted, describe_handlers(posted))));
  }
  return ran;
}

std::string subscriber_core::describe_handlers(const posting& posted) const {
  const routing::guard guard(guarded());
  routing::merged_handlers found;
  find(posted.ctx.topic(), posted.hash, found);
  std::string all;
  found.for_each([&](const routing::route_entry& each) {
    if (each.entry->active()) all += (all.empty() ? "" : "; ") + each.entry->describe();
  });
  return all;
}

std::size_t subscriber_core::receive(value_ref message, std::string_view topic,
                                     std::size_t hash) const {
  if (!has_patterns()) {
    const routing::guard guard(guarded());
    if (deliver_short(message, topic, hash)) return 1;
  }
  posting posted(message, topic, hash);
  const std::size_t ran = deliver(posted, arrival::direct);
  posted.failed.throw_any();
  if (ran == 0 && posted.refused) [[unlikely]]
    throw mismatch(posted, describe_handlers(posted));
  return ran;
}

bool subscriber_core::run_only(const void* core, value_ref message, std::string_view topic,
                               std::uint64_t handler, failures& failed) {
  const auto& of = *static_cast<const subscriber_core*>(core);
  const routing::guard guard(of.guarded());
  posting posted(message, topic, hash_of(topic));
  posted.component = &of.shared;
  routing::merged_handlers found;
  of.find(topic, posted.hash, found);
  bool has_run = false;
  const auto run = [&](const routing::route_entry& each) {
    if (each.entry->order() == handler) has_run = run_again(each, posted);
  };
  found.for_each(run);
  failed.take(posted.failed);
  return has_run;
}

void subscriber_core::shutdown() noexcept {
  senders.drop_all();
  router::shutdown();
}

std::string publisher_core::describe_bound(const posting& posted) const {
  const routing::guard guard(guarded());
  std::string all;
  const routing::handler_range bound(entries());
  for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
    if (!each->entry->active()) continue;
    const std::string handlers = target_of(*each).describe_handlers(posted);
    if (!handlers.empty()) all += (all.empty() ? "" : "; ") + handlers;
  }
  return all;
}

inline bool publisher_core::publish_short(value_ref message, std::string_view topic,
                                          std::size_t hash) const {
  const routing::handler_range bound(entries());
  if (bound.end - bound.begin != 1 || attached_observer.attachments_now()) return false;
  const subscriber_core& only = target_of(*bound.begin);
  if (!bound.begin->entry->active() || only.has_patterns()) return false;
  const routing::guard guard(only.guarded());
  return only.deliver_short(message, topic, hash);
}

std::size_t publisher_core::publish(value_ref message, std::string_view topic,
                                    std::size_t hash) const {
  const routing::guard guard(guarded());
  if (publish_short(message, topic, hash)) return 1;
  posting posted(message, topic, hash);
  const routing::handler_range bound(entries());
  const attachments* const by = attached_observer.attachments_now();
  if (bound.begin == bound.end || by) check_topic(topic);  // otherwise a subscriber checks it
  std::size_t ran = 0;
  if (by) [[unlikely]] {
    ran = publish_watched(posted, *by);
  } else {
    for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
      if (!each->entry->active()) continue;
      ran += target_of(*each).deliver(posted, arrival::from_sender);
    }
  }
  if (ran == 0) unrouted.add();
  posted.failed.throw_any();
  if (ran == 0 && posted.refused) throw mismatch(posted, describe_bound(posted));
  return ran;
}

std::size_t publisher_core::publish_watched(posting& posted, const attachments& by) const {
  if (by.observer) by.observer->accepted(posted.step());
  verb_span span(by, posted, "publish", trace_start::of(by, "publish"));
  const arrival path = by.tracing ? arrival::from_traced_sender : arrival::from_sender;
  std::size_t ran = 0;
  const routing::handler_range bound(entries());
  for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
    if (each->entry->active()) ran += target_of(*each).deliver(posted, path);
  }
  if (ran == 0 && by.observer) by.observer->unrouted(posted.step());
  if (is_mismatch(posted, ran) && span.is_sampled()) {
    span.fail(std::make_exception_ptr(mismatch(posted, describe_bound(posted))));
  }
  return ran;
}

}  // namespace msgbus::sync::detail
