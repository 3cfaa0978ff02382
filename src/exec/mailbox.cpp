#include <msgbus/detail/exec/mailbox.hpp>

#include "exec/consumer_loop.hpp"
#include "observe/active_span.hpp"

#include <msgbus/error.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

namespace msgbus::exec {

namespace {

template <class Executor>
bool runs_here_as(const asio::any_io_executor& executor) noexcept {
  return executor.target_type() == typeid(Executor) &&
         executor.target<Executor>()->running_in_this_thread();
}

/// Whether this thread is one of the executor's, as far as the executor's type can answer that.
bool runs_here(const asio::any_io_executor& executor) noexcept {
  return executor && (runs_here_as<asio::io_context::executor_type>(executor) ||
                      runs_here_as<asio::thread_pool::executor_type>(executor) ||
                      runs_here_as<asio::strand<asio::io_context::executor_type>>(executor) ||
                      runs_here_as<asio::strand<asio::thread_pool::executor_type>>(executor) ||
                      runs_here_as<asio::strand<asio::any_io_executor>>(executor));
}

}  // namespace

/// The check whether a sender may handle messages in place of a loop, and the number of these
/// messages. It has executors of its own, without ownership: the mailbox loses its executor when
/// the context ends, on any thread.
struct mailbox::handling_by_senders {
  template <class Executor>
  static std::optional<Executor> as(const asio::any_io_executor& executor) {
    if (executor.target_type() != typeid(Executor)) return std::nullopt;
    return *executor.target<Executor>();
  }

  explicit handling_by_senders(const asio::any_io_executor& executor)
      : context(as<asio::io_context::executor_type>(executor)),
        pool(as<asio::thread_pool::executor_type>(executor)) {}

  [[nodiscard]] bool runs_here() const noexcept {
    return context ? context->running_in_this_thread() : pool && pool->running_in_this_thread();
  }

  const std::optional<asio::io_context::executor_type> context;
  const std::optional<asio::thread_pool::executor_type> pool;
  std::atomic<std::uint64_t> handled{0};  // changed by the sender in place of the loop
};

mailbox::mailbox(const asio::any_io_executor& executor, const mailbox_options& options,
                 mailbox_owner& owner)
    : executor_(executor), owner_(owner), state_(options) {
  if (link(executor)) return;
  state_.close();
  context_ended_ = true;
  executor_ = {};
}

mailbox::~mailbox() {
  unlink_and_release(executor_);
  abandon_rest();
}

put mailbox::result_of(put result) {
  if (result == put::taken && state_.wants_loop()) [[unlikely]]
    start_loop();
  return result;
}

put mailbox::try_put_slowly(send_operation& out) {
  if (state_.is_only_timed()) [[likely]]
    return result_of(state_.put_timed_in_order(out));
  if (!state_.is_traced()) return try_put_untraced(out);
  std::uint64_t number = 0;
  if (!out.shared() && !current_cause()) [[likely]] {
    if (!msgbus::detail::is_marked_not_sampled()) number = state_.next_trace();
    if (number == 0) [[likely]] {  // it is not sampled
      if (!state_.is_only_traced()) return try_put_untraced(out);
      const put result = state_.put_in_order(out);
      if (result == put::taken && state_.wants_loop()) [[unlikely]]
        start_loop();
      return result;
    }
  }
  return try_put_traced(out, number);
}

put mailbox::try_put_traced(send_operation& out, std::uint64_t number) {
  const msgbus::detail::shared_span span = owner_.begin_send(out, number);
  const put result = try_put_untraced(out);
  if (!span) [[likely]]
    return result;
  // A sender that waits does that between this span and the handler's.
  if (result == put::closed) span->fail("the component is closed");
  if (result == put::dropped) span->fail("the mailbox was full: the message was dropped");
  span->end();
  return result;
}

put mailbox::try_put_untraced(send_operation& out) {
  shared_message displaced;
  const put result = state_.try_put(out, displaced);
  if (displaced) owner_.dropped(*displaced);
  return result_of(result);
}

void mailbox::throw_would_deadlock(const char* why) const {
  throw error(errc::would_deadlock, "the mailbox of " + std::string(owner_.kind()) +
                                        " is full (capacity " + std::to_string(capacity()) +
                                        "): " + why);
}

asio::awaitable<put> mailbox::put_when_space(waiting_put sender, asio::any_io_executor here) {
  if (is_waited_for(here, this)) {
    throw_would_deadlock(
        "a send from a handler that the mailbox waits for would never complete; "
        "raise mailbox_options::capacity, or call post()");
  }
  co_await state_.senders().wait(&waiting_put::attempt, &sender, "send");
  // The sender had a claim on a space, for which another sender or a scheduled message may wait.
  if (sender.result == put::full || sender.result == put::closed) state_.notify_space();
  co_return result_of(sender.result);
}

asio::awaitable<put> mailbox::put_when_space(send_operation& out,
                                             const asio::any_io_executor& here) {
  return put_when_space(waiting_put{state_, out}, here);
}

asio::awaitable<put> mailbox::put_when_space_among(send_operation& out, shared_send& among,
                                                   const asio::any_io_executor& here) {
  return put_when_space(waiting_put{state_, out, put::full, &among}, here);
}

void mailbox::check_may_block() const {
  if (runs_here(executor_)) {
    throw_would_deadlock(
        "send_blocking() would block a thread of the component's own executor; "
        "co_await send(), or call post()");
  }
}

void mailbox::allow_handling_by_senders() {
  if (state_.is_ordered_by_one_loop()) {
    by_senders_ = std::make_unique<handling_by_senders>(executor_);
  }
}

bool mailbox::try_handle(queued_message& message) {
  return by_senders_ && state_.has_fast_path() && can_run() && by_senders_->runs_here() &&
         consumer_loop::handle_in_sender(*this, message);
}

bool mailbox::senders_should_yield() const noexcept {
  constexpr std::uint64_t between_yields = 64;
  return handled_by_senders() % between_yields == between_yields - 1 && !state_.has_loops() &&
         by_senders_->runs_here();
}

std::uint64_t mailbox::handled_by_senders() const noexcept {
  return by_senders_ ? by_senders_->handled.load(std::memory_order_relaxed) : 0;
}

void mailbox::count_handled_by_sender() noexcept {
  auto& handled = by_senders_->handled;
  handled.store(handled.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// The cause that the strand of a coroutine handler keeps for a message without a trace.
shared_origin mailbox::cause_of_no_origin() const {
  return state_.is_traced() ? msgbus::detail::not_sampled_origin() : nullptr;
}

void mailbox::start_loop() {
  if (!can_run() || !state_.claim_loop()) return;
  inline_loop::post(consumer_loop(*this, owner_.keep()));
}

void mailbox::notify_space(bool surely) noexcept {
  if (!state_.has_waiting(surely)) [[likely]]
    return;
  // Between two messages of a batch, waking is deferred until many senders can be woken at once.
  if (surely || state_.has_much_space()) state_.notify_space();
}

void mailbox::notify_space_while_awaiting(const std::shared_ptr<const void>& keep) {
  if (!state_.has_waiting(true)) [[likely]]
    return;
  if (state_.has_much_space()) return state_.notify_space();
  // A handler is about to be awaited. If it suspends, the posted function runs and wakes senders;
  // if not, later messages make more space.
  if (wake_posted_.exchange(true, std::memory_order_relaxed)) return;
  asio::post(executor_, [this, keep] {
    wake_posted_.store(false, std::memory_order_relaxed);
    notify_space(true);
  });
}

void mailbox::discard() noexcept {
  state_.discard();
  coroutine_loop::cancel_all(*this);
}

void mailbox::abandon_rest() noexcept {
  message_in_hand each;
  while (state_.take(each)) {
    owner_.abandoned(*each.get());
    state_.done(each);
  }
}

void mailbox::context_ended() noexcept {
  const asio::any_io_executor released = std::exchange(executor_, {});
  context_ended_.store(true, std::memory_order_release);
  close();  // otherwise senders of other contexts would wait for ever
  // A started loop is destroyed with the context, and abandons the remaining messages itself.
  if (!state_.has_loops()) abandon_rest();
}

}  // namespace msgbus::exec
