#pragma once

/// The run of one message to the handlers of one component. It may suspend.

#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/detail/observe/handling_times.hpp>
#include <msgbus/detail/routing/entry.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <exception>
#include <memory>

namespace msgbus::async::detail {

class verb_call;
class component_core;

struct component_run;

/// The parts of its policy that the current handler has passed before its coroutine; see
/// `run_guarded`.
struct entered_policy;
struct destroy_entered {
  void operator()(entered_policy* entered) const noexcept;
};
using entered_ptr = std::unique_ptr<entered_policy, destroy_entered>;

/// A coroutine handler that runs inside its policy; see `start_guarded`.
class guarded_run;
struct destroy_guarded {
  void operator()(guarded_run* run) const noexcept;
};
using guarded_ptr = std::unique_ptr<guarded_run, destroy_guarded>;

/// The code around the next awaited handler: none; a policy; or a time limit around a coroutine,
/// with or without a policy.
enum class surrounded : std::uint8_t { by_nothing, by_policy, by_time };

/// The outcome of a call of a handler.
enum class step_taken { refused, ran, suspends };

/// Calls a handler. Without `start`, a handler that need not suspend runs, and others do not. With
/// it, the awaitable of the handler is stored there. An exception is thrown, or added to the
/// failures of the run.
using call_handler = step_taken (*)(routing::entry&, component_run&, asio::awaitable<void>* start);

/// The measurement and the span of a handler that suspends.
struct observed_call {
  observed_call(call_handler calls, std::int64_t at) noexcept : call(calls), begun(at) {}
  observed_call(const observed_call&) = delete;
  observed_call& operator=(const observed_call&) = delete;
  ~observed_call();

  call_handler call;
  std::int64_t begun;                                      // 0: it is not measured
  std::shared_ptr<msgbus::detail::active_span> span = {};  // null: not sampled
  shared_origin cause = {};  // of messages that the handler sends; null: the message's
  std::shared_ptr<const void> times = {};     // keeps what `running` refers to
  msgbus::detail::running_call running = {};  // while somebody follows calls
};

/// The position of a run among the handlers of its component, and its outcomes so far. For one
/// coroutine at a time.
///
/// States: fresh -> begun (counted as accepted) -> settled (counted by outcome). A run that is
/// destroyed in between was interrupted, and counts as abandoned.
struct component_run {
  component_run(component_core& in, value_ref value, const msgbus::context& its) noexcept
      : component(&in), ctx(&its), message(value) {}
  component_run(component_run&& other) noexcept;
  ~component_run();
  component_run(const component_run&) = delete;
  component_run& operator=(const component_run&) = delete;

  [[nodiscard]] msgbus::step step() const noexcept;

  /// The invocation of the handler that is called, or about to be awaited.
  [[nodiscard]] component::injection injection_for(const routing::entry& entry) const noexcept {
    return injection_for(entry, *ctx);
  }
  [[nodiscard]] component::injection injection_for(const routing::entry& entry,
                                                   const msgbus::context& with) const noexcept;

  /// The awaitable of the current handler.
  [[nodiscard]] asio::awaitable<void> start();
  /// As above, in a coroutine of the library with this executor, which may be moved from.
  [[nodiscard]] asio::awaitable<void> start_on(asio::any_io_executor& its);
  /// The awaited handler has ended. Returns true if its policy continues with another `start`.
  /// Otherwise `failure` is the handler's contribution to the failures.
  [[nodiscard]] bool goes_on(std::exception_ptr& failure) {
    return guarded && leave_guards(failure);
  }

  /// The message, kept alive with this object: for work on another executor that may outlive the
  /// coroutine of the run (A12). `share` moves it out of `storage`, once.
  [[nodiscard]] exec::shared_message share_message();

  /// Its coroutine was destroyed: the run ends here.
  void cut_off() noexcept;

  // In the order of fast construction.

  component_core* component;
  const msgbus::context* ctx;
  value_ref message;
  std::string_view operation = {};  // of a command: its name
  failures failed;
  std::size_t ran = 0;

  // The current handler, pinned; `advance` sets it, `handler_ended` clears it.
  routing::entry_pin next;
  call_handler call_next = nullptr;
  std::size_t failed_before = 0;  // of those that ran before it

  // Handlers that were attached before `end` get the message; those after `last` are still to run.
  std::uint64_t end = 0;
  std::uint64_t last = 0;
  std::uint64_t only = 0;  // the order of the only handler for it; 0: all handlers

  entered_ptr entered;  // for the coroutine that continues the current handler; null: none
  guarded_ptr guarded;  // the current handler runs inside its policy; null: it does not

  // Of the library's coroutine that awaits the current handler, while that starts; null: there is
  // none, and the coroutine of the caller awaits it.
  asio::any_io_executor* own_executor = nullptr;

  // The deadline of the work that awaits this run: that of its executor, or `until`.
  const asio::any_io_executor* here = nullptr;
  exec::clock::time_point until = exec::clock::time_point::max();
  /// Whether messages of the current handler have a cause of their own, which a strand must keep.
  [[nodiscard]] bool has_own_cause() const noexcept { return watched && watched->cause; }

  [[nodiscard]] exec::clock::time_point outer_deadline() const noexcept {
    return here ? exec::deadline_on(*here) : until;
  }

  exec::outcome_listener* listener = nullptr;  // of the message, which outlives this
  std::unique_ptr<observed_call> watched;      // the current handler is watched, and suspends

  exec::shared_message shared;
  std::unique_ptr<const msgbus::context> shared_ctx;  // its topic has moved with the message
  exec::shared_message (*share)(void* storage) = nullptr;
  void* storage = nullptr;
  verb_call* part_of = nullptr;

  bool is_last = false;     // the current handler had no successor when it started
  bool typed_done = false;  // a consumer's handlers of every type come after the typed ones (T4)
  bool begun = false;
  bool settled = false;
  bool from_mailbox = false;  // counted by the mailbox; no caller gets its exceptions (A8)
  bool with_others = false;   // one of several subscribers: their sender checks the type
  bool refused = false;       // a subscriber of the topic does not accept the type (T6)
  bool cancelled = false;     // no further handler starts (A9)
  bool stopped = false;       // and a handler was left to start
  bool timed = false;         // the times of its handlers are measured
  surrounded current = surrounded::by_nothing;  // the current handler, if it is awaited

 private:
  [[nodiscard]] bool leave_guards(std::exception_ptr& failure);
};

}  // namespace msgbus::async::detail
