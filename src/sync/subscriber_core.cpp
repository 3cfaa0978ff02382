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

constexpr const char* receive_verb = "receive";

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

[[gnu::always_inline]] inline bool subscriber_core::deliver_short(value_ref message,
                                                                  std::string_view topic,
                                                                  std::size_t hash) const {
  const routing::quick_route* const only = find_only_route(topic, hash);
  routing::entry* const sole = only ? only->sole() : nullptr;
  if (!sole || is_watched(shared.attached_observer.attachments_now())) return false;
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
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!is_watched(by)) [[likely]]
    return deliver_unwatched(posted, found);
  const char* const verb = path == arrival::from_sender ? "publish" : nullptr;
  const trace_start start = trace_start::of(*by, verb);
  if (!start.is_unwatched(*by)) return deliver_watched(posted, found, *by, verb, start);
  const cause_scope none(&msgbus::detail::not_sampled_mark);
  return deliver_unwatched(posted, found);
}

inline std::size_t subscriber_core::deliver_unwatched(posting& posted,
                                                      routing::merged_handlers& found) const {
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
                                             const attachments& by, const char* verb,
                                             const trace_start& start) const {
  if (by.observer) by.observer->accepted(posted.step());
  verb_span span(by, posted, verb, start);
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
  if (verb == receive_verb && is_mismatch(posted, ran) && span.is_sampled()) {
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

[[gnu::always_inline]] inline std::size_t subscriber_core::receive_unwatched(
    value_ref message, std::string_view topic, std::size_t hash) const {
  if (!has_patterns() && deliver_short(message, topic, hash)) return 1;
  return receive_guarded(message, topic, hash, nullptr, {});
}

std::size_t subscriber_core::receive(value_ref message, std::string_view topic,
                                     std::size_t hash) const {
  const routing::guard guard(guarded());
  const attachments* const by = shared.attached_observer.attachments_now();
  if (is_watched(by)) [[unlikely]]
    return receive_watched(message, topic, hash, *by);
  return receive_unwatched(message, topic, hash);
}

std::size_t subscriber_core::receive_watched(value_ref message, std::string_view topic,
                                             std::size_t hash, const attachments& by) const {
  const trace_start start = trace_start::of(by, receive_verb);
  if (!start.is_unwatched(by)) return receive_guarded(message, topic, hash, &by, start);
  const cause_scope none(&msgbus::detail::not_sampled_mark);
  return receive_unwatched(message, topic, hash);
}

std::size_t subscriber_core::receive_guarded(value_ref message, std::string_view topic,
                                             std::size_t hash, const attachments* by,
                                             const trace_start& start) const {
  posting posted(message, topic, hash);
  posted.component = &shared;
  routing::merged_handlers found;
  find(topic, hash, found);
  const std::size_t ran = by ? deliver_watched(posted, found, *by, receive_verb, start)
                             : deliver_unwatched(posted, found);
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
  if (bound.end - bound.begin != 1) return false;
  const subscriber_core& only = target_of(*bound.begin);
  if (!bound.begin->entry->active() || only.has_patterns()) return false;
  const routing::guard guard(only.guarded());
  return only.deliver_short(message, topic, hash);
}

[[gnu::always_inline]] inline std::size_t publisher_core::publish_unwatched(
    value_ref message, std::string_view topic, std::size_t hash) const {
  if (publish_short(message, topic, hash)) return 1;
  return publish_guarded(message, topic, hash, nullptr, {});
}

std::size_t publisher_core::publish(value_ref message, std::string_view topic,
                                    std::size_t hash) const {
  const routing::guard guard(guarded());
  const attachments* const by = attached_observer.attachments_now();
  if (is_watched(by)) [[unlikely]]
    return publish_watched(message, topic, hash, *by);
  return publish_unwatched(message, topic, hash);
}

std::size_t publisher_core::publish_watched(value_ref message, std::string_view topic,
                                            std::size_t hash, const attachments& by) const {
  const trace_start start = trace_start::of(by, "publish");
  if (!start.is_unwatched(by)) return publish_guarded(message, topic, hash, &by, start);
  const cause_scope none(&msgbus::detail::not_sampled_mark);
  return publish_unwatched(message, topic, hash);
}

std::size_t publisher_core::publish_guarded(value_ref message, std::string_view topic,
                                            std::size_t hash, const attachments* by,
                                            const trace_start& start) const {
  posting posted(message, topic, hash);
  const routing::handler_range bound(entries());
  if (bound.begin == bound.end || by) check_topic(topic);  // otherwise a subscriber checks it
  std::size_t ran = 0;
  if (by) [[unlikely]] {
    ran = deliver_watched(posted, *by, start);
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

std::size_t publisher_core::deliver_watched(posting& posted, const attachments& by,
                                            const trace_start& start) const {
  if (by.observer) by.observer->accepted(posted.step());
  verb_span span(by, posted, "publish", start);
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
