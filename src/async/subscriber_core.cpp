#include <msgbus/async/detail/subscriber_core.hpp>

#include <msgbus/async/detail/handler_call.hpp>
#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/core/cause.hpp>
#include <msgbus/core/convert.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/core/topic.hpp>

#include <asio/this_coro.hpp>

namespace msgbus::async::detail {

subscriber_core::subscriber_core(const asio::any_io_executor& executor,
                                 const mailbox_options& options,
                                 std::shared_ptr<provider> overrides)
    : core(*this, executor, options, std::move(overrides)) {}

subscriber_core::~subscriber_core() = default;

std::shared_ptr<subscriber_core> subscriber_core::make(const asio::any_io_executor& executor,
                                                       const mailbox_options& options,
                                                       std::shared_ptr<provider> overrides) {
  return std::make_shared<subscriber_core>(executor, options, std::move(overrides));
}

publisher_core::publisher_core() = default;

publisher_core::~publisher_core() = default;

std::shared_ptr<publisher_core> publisher_core::make() {
  return std::make_shared<publisher_core>();
}

void publisher_core::bind(const std::shared_ptr<subscriber_core>& target) {
  target->senders.bind(*this, target);
}

void publisher_core::unbind(subscriber_core& target) { target.senders.unbind(*this); }

namespace {

error not_taken(value_ref message, std::string_view topic, const std::string& handlers) {
  return error(errc::type_mismatch, "message of type " + describe(message) + " on topic '" +
                                        std::string(topic) +
                                        "' is not taken by what is there: " + handlers);
}

}  // namespace

subscription subscriber_core::attach_handler(std::initializer_list<std::string_view> patterns,
                                             const component::message_calls& calls,
                                             const component::callable_type& type, void* callable,
                                             policy* how) {
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<message_entry>(how, order, routing::checked_patterns(patterns), calls,
                                           type, callable);
  }));
}

bool subscriber_core::advance(delivery& d) {
  const snapshot::guard guard(guarded());
  observer* const watcher = shared.watcher.get();
  if (!d.begun) begin(d, watcher);
  const std::string_view topic = d.known->topic();
  const std::size_t hash = hash_of(topic);
  const routing::listed only(find_only(topic, hash));
  routing::matches found;
  if (only.begin == only.end) find(topic, hash, found);
  bool must_await = false;
  const auto run = [&](const routing::item& each) {
    if (must_await || d.stopped) return;
    const std::uint64_t order = each.entry->order();
    if (order <= d.last || order >= d.end || !each.entry->active()) return;
    if (d.cancelled) {
      d.stopped = true;
      return;
    }
    d.last = order;
    must_await = run_one(each, d, watcher);
  };
  for (const routing::item* each = only.begin; each != only.end; ++each) run(*each);
  found.for_each(run);
  if (must_await) return true;
  settle(d, watcher);
  return false;
}

std::string subscriber_core::describe_handlers(std::string_view topic) const {
  const snapshot::guard guard(guarded());
  routing::matches found;
  find(topic, hash_of(topic), found);
  std::string all;
  found.for_each([&](const routing::item& each) {
    if (each.entry->active()) all += (all.empty() ? "" : "; ") + each.entry->describe();
  });
  return all;
}

std::exception_ptr subscriber_core::mismatch(const delivery& d) const {
  return std::make_exception_ptr(
      not_taken(d.message, d.known->topic(), describe_handlers(d.known->topic())));
}

void subscriber_core::close() noexcept {
  senders.drop_all();
  core::end();
  router::close();
}

targets publisher_core::bound() const {
  const snapshot::guard guard(guarded());
  targets all;
  const routing::listed list(items());
  for (const routing::item* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    all.push_back(static_cast<component::binding<subscriber_core>*>(each->entry)->target().self());
  }
  return all;
}

void publisher_core::deliver(fan_out& together, to_share& message) const {
  const snapshot::guard guard(guarded());
  const routing::listed list(items());
  for (const routing::item* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    together.deliver(static_cast<component::binding<subscriber_core>*>(each->entry)->target(),
                     message);
  }
}

void publisher_core::count_unrouted(const msgbus::step& about) noexcept {
  unrouted.add();
  const snapshot::guard guard(guarded());
  if (observer* const told = watcher.get()) told->unrouted(about);
}

void throw_mismatch(const targets& all, value_ref message, std::string_view topic) {
  std::string handlers;
  for (const auto& each : all) {
    const std::string here = static_cast<subscriber_core&>(*each).describe_handlers(topic);
    if (!here.empty()) handlers += (handlers.empty() ? "" : "; ") + here;
  }
  throw not_taken(message, topic, handlers);
}

asio::awaitable<std::size_t> publish(std::shared_ptr<publisher_core> self,
                                     exec::held_message event) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const std::string topic(event.get().topic());  // the event may be moved to where it is shared
  const msgbus::context known = context::caused_by(current_origin(), topic);
  const value_ref message = event.get().message();
  to_share source(message, known, std::addressof(event),
                  [](void* home) { return share(*static_cast<exec::held_message*>(home)); });
  fan_out together(here);
  self->deliver(together, source);
  if (together.must_wait()) co_await together.wait();
  together.throw_outcome();
  if (together.ran == 0) {
    const msgbus::step about{message.type->name, topic};
    self->count_unrouted(about);
    if (together.refused) throw_mismatch(self->bound(), source.message(), topic);
  }
  co_return together.ran;
}

asio::awaitable<receipt> send(std::shared_ptr<publisher_core> self, exec::held_message message) {
  targets all = self->bound();
  exec::shared_message shared = share(message);
  if (all.empty()) self->count_unrouted({shared->message().type->name, shared->topic()});
  co_return co_await send_to_all(std::move(all), std::move(shared));
}

receipt post(publisher_core& self, exec::carried& message) {
  const targets all = self.bound();
  const exec::shared_message shared = exec::shared_with_cause(message.share());
  if (all.empty()) self.count_unrouted({shared->message().type->name, shared->topic()});
  return post_to_all(all, shared);
}

receipt send_blocking(publisher_core& self, exec::carried& message,
                      std::chrono::steady_clock::duration timeout) {
  const targets all = self.bound();
  const exec::shared_message shared = exec::shared_with_cause(message.share());
  if (all.empty()) self.count_unrouted({shared->message().type->name, shared->topic()});
  return send_blocking_to_all(all, shared, timeout);
}

}  // namespace msgbus::async::detail
