#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "observe/active_span.hpp"

#include <typeinfo>
#include <utility>

namespace msgbus::exec {

namespace {

// Whether any work ever had a deadline; without one, executors need not be checked. Relaxed: what
// is started after a deadline was set for it synchronises with the setting.
constinit std::atomic<bool> ever_limited{false};

}  // namespace

// `any_io_executor::target` of Asio 1.22 does not check the type, so this function does.
const strand_state* strand_state_of(const asio::any_io_executor& executor) noexcept {
  if (!executor) return nullptr;
  const std::type_info& type = executor.target_type();
  if (type == typeid(basic_mailbox_strand<false>)) {
    return &executor.target<basic_mailbox_strand<false>>()->state();
  }
  if (type == typeid(basic_mailbox_strand<true>)) {
    return &executor.target<basic_mailbox_strand<true>>()->state();
  }
  return nullptr;
}

namespace {

strand_state::base_kind kind_of(const asio::any_io_executor& base) noexcept {
  const std::type_info& type = base.target_type();
  if (type == typeid(asio::io_context::executor_type)) return strand_state::base_kind::context;
  if (type == typeid(asio::thread_pool::executor_type)) return strand_state::base_kind::pool;
  return strand_state::base_kind::other;
}

}  // namespace

strand_state::strand_state(const asio::any_io_executor& over,
                           std::shared_ptr<const wait_chain> waited_for)
    : base(over),
      kind(kind_of(over)),
      posting_base(kind == base_kind::other ? asio::require(base, asio::execution::blocking.never)
                                            : asio::any_io_executor()),
      waiting(std::move(waited_for)),
      strand(strand_base<false>{this}),
      posting(asio::require(strand, asio::execution::blocking.never)) {}

mailbox_strand make_mailbox_strand(const asio::any_io_executor& base,
                                   std::shared_ptr<const wait_chain> waiting) {
  return mailbox_strand(std::make_shared<const strand_state>(base, std::move(waiting)));
}

bool is_mailbox_strand(const asio::any_io_executor& executor) noexcept {
  return strand_state_of(executor) != nullptr;
}

coroutine_loop* loop_on(const asio::any_io_executor& here) noexcept {
  const strand_state* const mine = strand_state_of(here);
  return mine ? mine->loop : nullptr;
}

std::chrono::steady_clock::time_point deadline_on(const asio::any_io_executor& here) noexcept {
  if (!ever_limited.load(std::memory_order_relaxed)) {
    return std::chrono::steady_clock::time_point::max();
  }
  const strand_state* const mine = strand_state_of(here);
  return mine ? mine->deadline : std::chrono::steady_clock::time_point::max();
}

void set_deadline(const asio::any_io_executor& on,
                  std::chrono::steady_clock::time_point deadline) noexcept {
  if (const strand_state* const mine = strand_state_of(on)) set_deadline(*mine, deadline);
}

void set_deadline(const strand_state& of, std::chrono::steady_clock::time_point deadline) noexcept {
  if (!ever_limited.load(std::memory_order_relaxed)) [[unlikely]]
    ever_limited.store(true, std::memory_order_relaxed);
  of.deadline = deadline;
}

shared_origin exchange_cause(const asio::any_io_executor& on, shared_origin cause) noexcept {
  const strand_state* const mine = strand_state_of(on);
  return mine ? std::exchange(mine->cause, std::move(cause)) : nullptr;
}

asio::any_io_executor work_on(const asio::any_io_executor& executor) {
  if (!executor) return {};
  const strand_state* const mine = strand_state_of(executor);
  return asio::prefer(mine ? mine->base : executor, asio::execution::outstanding_work.tracked);
}

bool detail::runs_on_base(const asio::any_io_executor& here,
                          const asio::any_io_executor& wanted) noexcept {
  const strand_state* const mine = strand_state_of(here);
  return mine && mine->base == wanted;
}

bool detail::is_told(const asio::any_io_executor& here) noexcept {
  const strand_state* const mine = strand_state_of(here);
  return mine && mine->cancel_requested.load(std::memory_order_acquire);
}

bool is_stop_requested(const asio::any_io_executor& here,
                       const asio::cancellation_state& state) noexcept {
  if (!state.slot().is_connected()) return false;
  const strand_state* const mine = strand_state_of(here);
  return mine && (mine->limit.is_over || mine->cancel_requested.load(std::memory_order_acquire));
}

void note_cancel_requested(const asio::any_io_executor& on) noexcept {
  // Release: a coroutine that sees its signal sees this flag.
  if (const strand_state* const mine = strand_state_of(on))
    mine->cancel_requested.store(true, std::memory_order_release);
}

bool is_waited_for(const asio::any_io_executor& here, const void* mailbox) noexcept {
  const strand_state* const mine = strand_state_of(here);
  if (!mine) return false;
  for (const wait_chain* each = mine->waiting.get(); each; each = each->outer.get()) {
    if (each->mailbox == mailbox) return true;
  }
  return false;
}

asio::any_io_executor child_executor(const asio::any_io_executor& here,
                                     const asio::any_io_executor& wanted, bool cancellable) {
  if (!wanted) return {};
  const strand_state* const mine = strand_state_of(here);
  std::shared_ptr<const wait_chain> waiting = mine ? mine->waiting : nullptr;
  shared_origin cause = msgbus::detail::cause_to_keep();
  const auto deadline = deadline_on(here);
  const bool is_limited = deadline != std::chrono::steady_clock::time_point::max();
  if (!cancellable && !waiting && !cause && !is_limited && !strand_state_of(wanted)) return wanted;
  mailbox_strand made = make_mailbox_strand(wanted, std::move(waiting));
  made.state().deadline = deadline;
  made.state().cause = std::move(cause);
  return made;
}

}  // namespace msgbus::exec
