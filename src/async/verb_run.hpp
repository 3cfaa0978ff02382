#pragma once

/// The progress of an awaited verb, in the frame of its coroutine.

#include <msgbus/detail/async/verb_call.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include "async/concurrent_runs.hpp"

#include <asio/any_io_executor.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace msgbus::async::detail {

/// Lives in the coroutine's frame; an owner for `await_handlers`.
class verb_run {
 public:
  static constexpr bool is_caller = true;

  explicit verb_run(call_ptr<verb_call>&& mine) noexcept : call_(std::move(mine)) {}
  verb_run(const verb_run&) = delete;
  verb_run& operator=(const verb_run&) = delete;
  ~verb_run() {
    if (in_hand_) in_hand_->cut_off();  // if its coroutine is destroyed: others may keep the call
    if (together_) together_->leave();
  }

  // For calls and their targets, while they begin.

  /// Runs the handlers of one component as far as they need not be awaited, and records the rest.
  /// `among` is an upper bound for the components from here on; 0: this is the only one, and the
  /// call keeps it alive.
  void deliver(component_core& to, std::size_t among) {
    if (runs_inline(to)) return;
    if (to.is_traced() && begin_trace(to, among)) [[unlikely]]
      return;
    if (first_waits_) return deliver_one_more(to, among);
    component_run& d = call_->first.emplace(to, call_->message, call_->ctx);
    prepare(d, among);
    begin_first(to);
    if (first_waits_ && among != 0) call_->keeps = to.self();
  }
  /// The same for the call's first run, which is there.
  void deliver_first(component_core& to) {
    if (to.is_traced()) [[unlikely]]
      begin_trace_of_command(to);
    begin_first(to);
  }

  /// The message of the call.
  [[nodiscard]] value_ref message() const noexcept { return call_->message; }
  [[nodiscard]] std::string_view topic() const noexcept { return call_->ctx.topic(); }

  // For `await_handlers`.

  /// Runs handlers as far as they need not be awaited, and returns whether one is left. `here` is
  /// the caller's executor.
  [[nodiscard]] bool begin(const asio::any_io_executor& here) {
    here_ = &here;
    call_->begin(*this);
    return first_waits_;
  }
  /// Starts the remaining runs, and returns whether one is left for the caller's coroutine to
  /// await.
  [[nodiscard]] bool begin_waiting(bool cancellable);
  [[nodiscard]] component_run& in_hand() noexcept { return *in_hand_; }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure) {
    component_core& of = *in_hand_->component;
    of.handler_ended(*in_hand_, failure);
    if (of.advance(*in_hand_)) return true;
    return together_ && take_next();
  }
  [[nodiscard]] bool must_wait() const { return together_ && together_->has_tasks(); }
  [[nodiscard]] bool can_be_cancelled() const noexcept { return cancellable_; }
  [[nodiscard]] concurrent_runs& together() noexcept { return *together_; }
  [[nodiscard]] std::size_t ended(bool cancel_requested) {
    if (first_waits_) settle_awaited();
    if (failed_ || cancelled_) [[unlikely]]
      throw_failures(cancel_requested);
    if (ran_ == 0) call_->nothing_ran(refused_);
    return ran_;
  }
  /// As `ended`, but returns the exception, for callers that throw it themselves.
  [[nodiscard]] std::exception_ptr ended_with(bool cancel_requested);

 private:
  // In the order of the components.
  using failures_by_component = std::vector<std::pair<std::size_t, std::exception_ptr>>;

  void begin_first(component_core& to) {
    first_index_ = count_++;
    first_is_here_ = exec::runs_on(*here_, to.executor());
    first_waits_ = must_await(to, *call_->first, first_index_, first_is_here_);
  }
  [[nodiscard]] bool runs_inline(component_core& to) {
    failures failed;
    if (!exec::runs_on(*here_, to.executor()) ||
        !to.run_inline(call_->message, call_->ctx, failed, false)) {
      return false;
    }
    ++ran_;
    if (!failed.empty()) [[unlikely]]
      add_failures(count_, failed);
    ++count_;
    return true;
  }
  void prepare(component_run& d, std::size_t among) noexcept {
    d.storage = call_->owner;
    d.part_of = call_.get();
    d.with_others = among != 0;
  }
  /// Runs handlers as far as possible now, and returns whether one is left.
  [[nodiscard]] bool must_await(component_core& to, component_run& d, std::size_t index,
                                bool is_here) {
    try {
      if (!is_here) return may_run_elsewhere(to, d);
      d.here = here_;
      if (to.advance(d)) return true;
    } catch (...) {
      failed(index, std::current_exception());
    }
    settled(index, d);
    return false;
  }
  void settled(std::size_t index, const component_run& d) {
    ran_ += d.ran;
    refused_ |= d.refused;
    cancelled_ |= d.cancelled;
    if (!d.failed.empty()) [[unlikely]]
      add_failures(index, d.failed);
  }

  /// Begins the span of the verb, once; true: it is not sampled, and the component has handled it.
  bool begin_trace(component_core& to, std::size_t among);
  void begin_trace_of_command(component_core& to);
  void trace_failure(const std::exception_ptr& failure) noexcept;
  void deliver_one_more(component_core& to, std::size_t among);
  [[nodiscard]] static bool may_run_elsewhere(component_core& to, const component_run& d);
  [[nodiscard]] bool take_next();
  void make_together(std::size_t capacity);
  void hand_on_deadline() noexcept;
  void settle_awaited();
  void add_failures(std::size_t index, const failures& of);
  void failed(std::size_t index, std::exception_ptr failure);
  void throw_failures(bool cancel_requested);

  call_ptr<verb_call> call_;
  const asio::any_io_executor* here_ = nullptr;  // the caller's, while it begins
  component_run* in_hand_ = nullptr;
  std::shared_ptr<concurrent_runs> together_;
  std::unique_ptr<failures_by_component> failed_;
  std::size_t count_ = 0;        // of components
  std::size_t first_index_ = 0;  // of the call's first run
  std::size_t ran_ = 0;
  bool cancellable_ = false;
  bool first_waits_ = false;
  bool first_is_here_ = false;
  bool refused_ = false;    // some subscriber has the topic and does not accept the type
  bool cancelled_ = false;  // something was stopped
};

}  // namespace msgbus::async::detail
