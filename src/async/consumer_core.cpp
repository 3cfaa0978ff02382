#include <msgbus/async/detail/consumer_core.hpp>

#include <msgbus/async/detail/handler_call.hpp>
#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/core/cause.hpp>

#include <asio/this_coro.hpp>

namespace msgbus::async::detail {

consumer_core::consumer_core(const asio::any_io_executor& executor, const mailbox_options& options,
                             std::shared_ptr<provider> overrides)
    : core(*this, executor, options, std::move(overrides)) {}

consumer_core::~consumer_core() = default;

std::shared_ptr<consumer_core> consumer_core::make(const asio::any_io_executor& executor,
                                                   const mailbox_options& options,
                                                   std::shared_ptr<provider> overrides) {
  return std::make_shared<consumer_core>(executor, options, std::move(overrides));
}

producer_core::producer_core() = default;

producer_core::~producer_core() = default;

std::shared_ptr<producer_core> producer_core::make() { return std::make_shared<producer_core>(); }

void producer_core::bind(const std::shared_ptr<consumer_core>& target) {
  target->senders.bind(*this, target);
}

void producer_core::unbind(consumer_core& target) { target.senders.unbind(*this); }

subscription consumer_core::attach_handler(std::span<const routing::typed_call> calls,
                                           const component::callable_type& type, void* callable,
                                           policy* how) {
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<event_entry>(how, order, calls, type, callable);
  }));
}

bool consumer_core::run_list(routing::listed list, delivery& d, observer* watcher) {
  for (const routing::item* item = list.begin; item != list.end; ++item) {
    const std::uint64_t order = item->entry->order();
    if (order <= d.last) continue;
    if (order >= d.end) break;
    if (!item->entry->active()) continue;
    if (d.cancelled) {
      d.stopped = true;
      break;
    }
    d.last = order;
    if (run_one(*item, d, watcher)) {
      d.is_last = item + 1 == list.end;
      return true;
    }
  }
  return false;
}

bool consumer_core::advance(delivery& d) {
  const snapshot::guard guard(guarded());
  observer* const watcher = shared.watcher.get();
  if (d.is_last) {  // what came since then gets the next event (D4)
    settle(d, watcher);
    return false;
  }
  if (!d.begun) begin(d, watcher);
  const routing::listed every(any());
  if (!d.typed_done) {
    const routing::listed typed(find(d.message.type));
    if (run_list(typed, d, watcher)) {
      d.is_last = d.is_last && every.begin == every.end;
      return true;
    }
    d.typed_done = true;
    d.last = 0;
  }
  if (run_list(every, d, watcher)) return true;
  settle(d, watcher);
  return false;
}

void consumer_core::close() noexcept {
  senders.drop_all();
  core::end();
  router::close();
}

targets producer_core::bound() const {
  const snapshot::guard guard(guarded());
  targets all;
  const routing::listed list(items());
  for (const routing::item* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    all.push_back(static_cast<component::binding<consumer_core>*>(each->entry)->target().self());
  }
  return all;
}

void producer_core::deliver(fan_out& together, to_share& message) const {
  const snapshot::guard guard(guarded());
  const routing::listed list(items());
  for (const routing::item* each = list.begin; each != list.end; ++each) {
    if (!each->entry->active()) continue;
    together.deliver(static_cast<component::binding<consumer_core>*>(each->entry)->target(),
                     message);
  }
}

void producer_core::count_unrouted(const msgbus::step& about) noexcept {
  unrouted.add();
  const snapshot::guard guard(guarded());
  if (observer* const told = watcher.get()) told->unrouted(about);
}

asio::awaitable<std::size_t> dispatch(std::shared_ptr<producer_core> self,
                                      exec::held_message event) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const value_ref message = event.get().message();
  const msgbus::step about{message.type->name, {}};
  const msgbus::context known = context::caused_by(current_origin());
  to_share source(message, known, std::addressof(event),
                  [](void* home) { return share(*static_cast<exec::held_message*>(home)); });
  fan_out together(here);
  self->deliver(together, source);
  if (together.must_wait()) co_await together.wait();
  together.throw_outcome();
  if (together.ran == 0) self->count_unrouted(about);
  co_return together.ran;
}

asio::awaitable<receipt> send(std::shared_ptr<producer_core> self, exec::held_message event) {
  targets all = self->bound();
  exec::shared_message shared = share(event);
  if (all.empty()) self->count_unrouted({shared->message().type->name, {}});
  co_return co_await send_to_all(std::move(all), std::move(shared));
}

receipt post(producer_core& self, exec::carried& event) {
  const targets all = self.bound();
  const exec::shared_message shared = exec::shared_with_cause(event.share());
  if (all.empty()) self.count_unrouted({shared->message().type->name, {}});
  return post_to_all(all, shared);
}

receipt send_blocking(producer_core& self, exec::carried& message,
                      std::chrono::steady_clock::duration timeout) {
  const targets all = self.bound();
  const exec::shared_message shared = exec::shared_with_cause(message.share());
  if (all.empty()) self.count_unrouted({shared->message().type->name, {}});
  return send_blocking_to_all(all, shared, timeout);
}

}  // namespace msgbus::async::detail
