#include <msgbus/detail/async/verbs.hpp>

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include "async/any_send.hpp"
#include "async/verb_run.hpp"
#include "exec/task_group.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::async::detail {

asio::awaitable<void> pass_through_executor() {
  co_await exec::yield_to_others();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "send");
}

exec::shared_message share(exec::owned_message& message) {
  (void)message.get();
  return exec::shared_with_cause(message.share());
}

namespace {

/// An awaited verb with a message, which any number of components get.
class message_call final : public verb_call {
 public:
  message_call(std::shared_ptr<verb_target>&& to, function_ref<exec::owned_message()> hold)
      : to_(std::move(to)), held_(hold()) {}

  static void* operator new(std::size_t) { return exec::take_block(); }
  static void operator delete(void* block) noexcept { exec::give_back_block(block); }

 private:
  ~message_call() override { first.reset(); }

  void begin(verb_run& run) override {
    const exec::queued_message& given = held_.get();
    owner = const_cast<exec::queued_message*>(&given);
    message = given.message();
    if (const shared_origin* const led_to_it = current_cause()) [[unlikely]]
      cause = *led_to_it;
    ctx = context::caused_by(cause.get(), given.topic());
    to_->give(run);
  }
  void nothing_ran(bool refused) override {
    to_->nothing_ran({message.type->name, ctx.topic()}, message, refused);
  }
  void destroy() noexcept override { delete this; }

  const std::shared_ptr<verb_target> to_;
  exec::owned_message held_;
};
static_assert(sizeof(message_call) <= exec::block_bytes);

}  // namespace

asio::awaitable<std::size_t> deliver(std::shared_ptr<verb_target> to,
                                     function_ref<exec::owned_message()> hold) {
  return run_call(
      call_ptr<verb_call>(call_ptr<verb_call>::adopt{}, new message_call(std::move(to), hold)));
}

exec::put offer(component_core& to, exec::send_operation& out) {
  const routing::guard guard(to.routes().guarded());  // a drain waits for it
  return to.mailbox.try_put(out);
}

exec::put offer_only(component_core& to, exec::send_operation& out) {
  const routing::guard guard(to.routes().guarded());  // a drain waits for it
  return to.mailbox.try_put_only(out);
}

bool try_handle(component_core& to, exec::queued_message& message) {
  if (!to.mailbox.allows_handling_by_senders()) [[likely]]
    return false;
  const routing::guard guard(to.routes().guarded());  // a drain waits for it
  return to.mailbox.try_handle(message);
}

void prepare(component_core& to, exec::send_operation& out) {
  const routing::guard guard(to.routes().guarded());  // a key function runs under it
  to.mailbox.prepare(out);
}

receipt receipt_for(exec::put result, component_core& to, const exec::send_operation& out) {
  switch (result) {
    case exec::put::taken: return {.admitted = 1};
    case exec::put::dropped: to.dropped_newest(out.message(), out.topic()); return {.dropped = 1};
    case exec::put::full:
    case exec::put::closed: break;
  }
  to.refused(out.message(), out.topic());
  return {.rejected = 1};
}

receipt post_to(component_core& to, exec::send_operation& out) {
  return receipt_for(offer(to, out), to, out);
}

asio::awaitable<receipt> send_to(component_core& to, exec::send_operation& out,
                                 const asio::any_io_executor& here) {
  exec::put result = offer(to, out);
  if (result == exec::put::full && waits_when_full(to)) {
    result = co_await to.mailbox.put_when_space(out, here);
  }
  co_return receipt_for(result, to, out);
}

asio::awaitable<receipt> send(std::shared_ptr<component_core> to, exec::owned_message message) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  exec::send_operation out = message.as_send_operation();
  exec::put result = offer(*to, out);
  if (result == exec::put::full && waits_when_full(*to)) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    result = co_await to->mailbox.put_when_space(out, here);
  }
  co_return receipt_for(result, *to, out);
}

namespace {

asio::awaitable<void> send_share(targets any_of, exec::shared_message message,
                                 asio::any_io_executor here, std::shared_ptr<receipt> result) {
  if (any_of.size() == 1) {
    exec::send_operation out(message);
    *result += co_await send_to(*any_of.front(), out, here);
  } else {
    auto among = std::make_shared<any_send>(std::move(any_of), std::move(message));
    co_await any_send::send(among);
    *result += among->result();
  }
}

}  // namespace

asio::awaitable<receipt> send_to_full(full_mailboxes full, exec::shared_message message) {
  const auto state = co_await asio::this_coro::cancellation_state;
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  receipt total;
  if (full.size() == 1 && full.front().size() == 1) {
    exec::send_operation out(message);
    total = co_await send_to(*full.front().front(), out, here);
  } else if (full.size() == 1) {
    auto among = std::make_shared<any_send>(std::move(full.front()), std::move(message));
    co_await any_send::send(among);
    total = among->result();
  } else {
    // At the same time: one that stays full must not keep the others waiting.
    exec::task_group together;
    std::vector<std::shared_ptr<receipt>> results;
    for (const auto& each : full) {
      results.push_back(std::make_shared<receipt>());
      together.start(exec::child_executor(here, here, state.slot().is_connected()),
                     send_share(each, message, here, results.back()));
    }
    co_await together.join();
    failures failed;
    std::exception_ptr aborted;  // however many were cancelled, it is one cancellation
    for (std::size_t i = 0; i < full.size(); ++i) {
      const auto failure = together.failure(i);
      if (exec::is_aborted(failure)) {
        aborted = failure;
      } else if (failure) {
        failed.add(failure);
      }
      total += *results[i];
    }
    failed.throw_any();
    if (aborted) std::rethrow_exception(aborted);
  }
  co_return total;
}

}  // namespace msgbus::async::detail
