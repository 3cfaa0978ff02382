#include <msgbus/detail/async/component_run.hpp>

#include <msgbus/detail/async/component_core.hpp>

#include "async/verb_run.hpp"
#include "observe/active_span.hpp"

#include <memory>
#include <new>
#include <utility>

namespace msgbus::async::detail {

component_run::component_run(component_run&& other) noexcept
    : component(other.component),
      ctx(other.ctx),
      message(other.message),
      operation(other.operation),
      failed(std::move(other.failed)),
      ran(other.ran),
      next(std::move(other.next)),
      call_next(other.call_next),
      failed_before(other.failed_before),
      end(other.end),
      last(other.last),
      only(other.only),
      entered(std::move(other.entered)),
      guarded(std::move(other.guarded)),
      here(other.here),
      until(other.until),
      listener(other.listener),
      watched(std::move(other.watched)),
      shared(std::move(other.shared)),
      shared_ctx(std::move(other.shared_ctx)),
      share(other.share),
      storage(other.storage),
      part_of(other.part_of),
      is_last(other.is_last),
      typed_done(other.typed_done),
      begun(other.begun),
      settled(std::exchange(other.settled, true)),
      from_mailbox(other.from_mailbox),
      with_others(other.with_others),
      refused(other.refused),
      cancelled(other.cancelled),
      stopped(other.stopped),
      timed(other.timed),
      current(other.current) {}

exec::shared_message component_run::share_message() {
  if (part_of) {
    auto keep = [call = call_ptr<verb_call>(part_of)](exec::queued_message*) {};
    return exec::shared_message(static_cast<exec::queued_message*>(storage), std::move(keep));
  }
  if (!shared) {
    shared = share(storage);
    message = shared->message();
    shared_ctx = std::make_unique<const msgbus::context>(ctx->on(shared->topic()));
    ctx = shared_ctx.get();
  }
  return shared;
}

component_run::~component_run() { cut_off(); }

msgbus::step component_run::step() const noexcept {
  if (!operation.empty()) [[unlikely]]
    return {operation, {}, component->called().name()};
  return {message.type->name, ctx->topic(), component->called().name()};
}

void component_run::cut_off() noexcept {
  guarded.reset();
  if (begun && !settled) component->cut_off_run(*this);
  next = {};
}

component::injection component_run::injection_for(const routing::entry& entry,
                                                  const msgbus::context& with) const noexcept {
  return {component->shared.overrides_state(), with, {&entry, &component::describe_entry}};
}

observed_call::~observed_call() {
  if (!span || span->has_ended()) return;
  try {
    span->fail("its run was interrupted");
  } catch (const std::bad_alloc&) {
    return;  // it ends without a reason
  }
}

asio::awaitable<void> component_run::start() {
  asio::awaitable<void> started;
  failed_before = failed.size();
  call_next(*next.get(), *this, &started);
  return started;
}

asio::awaitable<void> component_run::start_on(asio::any_io_executor& its) {
  own_executor = &its;
  asio::awaitable<void> started;
  try {
    started = start();
  } catch (...) {
    own_executor = nullptr;
    throw;
  }
  own_executor = nullptr;
  return started;
}

}  // namespace msgbus::async::detail
