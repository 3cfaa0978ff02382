#include <msgbus/detail/async/subscriber_core.hpp>

#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/core/convert.hpp>
#include <msgbus/error.hpp>
#include <msgbus/topic.hpp>

#include "async/run_one.hpp"
#include "component/explain.hpp"

namespace msgbus::async::detail {

subscriber_core::subscriber_core(const asio::any_io_executor& executor,
                                 const mailbox_options& options,
                                 std::shared_ptr<provider> overrides)
    : component_core("the subscriber", *this, executor, options, std::move(overrides)) {}

subscriber_core::~subscriber_core() = default;

std::shared_ptr<subscriber_core> subscriber_core::make(const asio::any_io_executor& executor,
                                                       const mailbox_options& options,
                                                       std::shared_ptr<provider> overrides) {
  return std::make_shared<subscriber_core>(executor, options, std::move(overrides));
}

error not_taken(value_ref message, std::string_view topic, const std::string& handlers) {
  return error(errc::type_mismatch,
               component::no_handler_accepts(describe(message), topic, handlers));
}

subscription subscriber_core::attach_handler(std::initializer_list<std::string_view> patterns,
                                             const component::message_calls& calls,
                                             const component::callable_type& type, void* callable,
                                             policy* handler_policy, const registered_at& line) {
  policy asked = policy_for(handler_policy);
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<message_entry>(&asked, order, routing::checked_patterns(patterns),
                                           calls, type, callable, line);
  }));
}

bool subscriber_core::run_inline(value_ref message, const msgbus::context& ctx, failures& failed,
                                 bool from_mailbox) {
  if (has_patterns()) return false;
  const routing::guard guard(guarded());
  const routing::quick_route* const found = find_only_route(ctx.topic(), hash_of(ctx.topic()));
  routing::entry* sole = found ? found->sole() : nullptr;
  // It takes one type; others may be converted.
  if (sole && static_cast<message_entry&>(*sole).types()[0] != message.type) sole = nullptr;
  return call_sole(sole, message, ctx, failed, from_mailbox);
}

bool subscriber_core::advance(component_run& d) {
  const routing::guard guard(guarded());
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!d.begun) begin_quickly(d, by);
  const std::string_view topic = d.ctx->topic();
  const std::size_t hash = hash_of(topic);
  const routing::handler_range only(find_only(topic, hash));
  routing::merged_handlers found;
  if (only.begin == only.end) find(topic, hash, found);
  bool must_await = false;
  const auto run = [&](const routing::route_entry& each) {
    if (must_await || d.stopped) return;
    const std::uint64_t order = each.entry->order();
    if (order <= d.last || order >= d.end || !each.entry->active()) return;
    if (d.only != 0 && order != d.only) return;
    if (d.cancelled) {
      d.stopped = true;
      return;
    }
    d.last = order;
    must_await = run_one(each, d, by);
  };
  for (const routing::route_entry* each = only.begin; each != only.end; ++each) run(*each);
  found.for_each(run);
  if (must_await) return true;
  return settle_quickly(d, by);
}

std::string subscriber_core::describe_handlers(std::string_view topic) const {
  const routing::guard guard(guarded());
  routing::merged_handlers found;
  find(topic, hash_of(topic), found);
  std::string all;
  found.for_each([&](const routing::route_entry& each) {
    if (each.entry->active()) all += (all.empty() ? "" : "; ") + each.entry->describe();
  });
  return all;
}

std::exception_ptr subscriber_core::mismatch(const component_run& d) const {
  return std::make_exception_ptr(
      not_taken(d.message, d.ctx->topic(), describe_handlers(d.ctx->topic())));
}

void subscriber_core::shutdown() noexcept {
  senders.drop_all();
  component_core::end();
  router::shutdown();
}

}  // namespace msgbus::async::detail
