#pragma once

/// The common core of async consumers, subscribers and services: mailbox, counters, closing. Runs
/// keep it alive, so it may outlive its component.

#include <msgbus/counters.hpp>
#include <msgbus/detail/async/component_name.hpp>
#include <msgbus/detail/async/component_run.hpp>
#include <msgbus/detail/async/helper_scheduler.hpp>
#include <msgbus/detail/async/message_hooks.hpp>
#include <msgbus/detail/component/binding.hpp>
#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/detail/core/on_demand.hpp>
#include <msgbus/detail/exec/deadline_timer.hpp>
#include <msgbus/detail/exec/key_rule.hpp>
#include <msgbus/detail/exec/key_rules.hpp>
#include <msgbus/detail/exec/mailbox.hpp>
#include <msgbus/detail/observe/describer.hpp>
#include <msgbus/detail/observe/outcomes.hpp>
#include <msgbus/detail/routing/router.hpp>
#include <msgbus/options.hpp>
#include <msgbus/policy.hpp>
#include <msgbus/provider.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::detail {
class stored_policy;
}  // namespace msgbus::detail

namespace msgbus::async::detail {

class scheduler;
class measured_times;
class verb_run;

/// The target of an awaited verb: one component, or all components that are bound to a sender.
class verb_target {
 public:
  /// Delivers the message in each component; work that must be awaited is left to the run.
  virtual void give(verb_run& run) = 0;

  /// The verb has succeeded, and no handler ran. `refused`: a subscriber has the topic, but accepts
  /// no such type.
  virtual void nothing_ran(const msgbus::step& message, value_ref value, bool refused) = 0;

 protected:
  ~verb_target() = default;
};

/// Counting an outcome needs a guard of `routes()`: after a grace period, counts are exact.
class component_core : public exec::mailbox_owner, public verb_target {
 public:
  /// `kind` names the component in errors, and exists as long as the program.
  component_core(const char* kind, routing::router& routes, const asio::any_io_executor& executor,
                 const mailbox_options& options, std::shared_ptr<provider> overrides);
  component_core(const component_core&) = delete;
  component_core& operator=(const component_core&) = delete;

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept {
    return mailbox.executor();
  }
  [[nodiscard]] routing::router& routes() const noexcept { return routes_; }

  /// Runs the remaining handlers of the run. Returns true if one must be awaited, which is the
  /// run's `next`; false if none is left, and the run is settled. Throws `closed` before the first
  /// handler.
  [[nodiscard]] virtual bool advance(component_run& d) = 0;

  /// Fast path: runs the message's only handler if it need not suspend, there is no observer and
  /// nothing else is unusual. Returns true if the message is settled, as handled or as `failed`;
  /// false if nothing was done.
  [[nodiscard]] virtual bool run_inline(value_ref message, const msgbus::context& ctx,
                                        failures& failed, bool from_mailbox);

  void give(verb_run& run) override;
  void nothing_ran(const msgbus::step& message, value_ref value, bool refused) override;

  /// The awaited handler has ended; null on success.
  void handler_ended(component_run& d, const std::exception_ptr& failure);

  [[nodiscard]] counters stats() const noexcept;

  /// Refuses new messages. When all accepted messages are settled, the component is quiet,
  /// permanently.
  void close() noexcept { close(false); }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

  /// Calls `Tell(*target)` once, on any thread, if `target` still exists: when the component is
  /// closed and quiet, or is destroyed.
  template <class T, void (*Tell)(T&)>
  void on_quiet(const std::shared_ptr<T>& target) {
    listen({target, [](void* there) { Tell(*static_cast<T*>(there)); }});
  }
  [[nodiscard]] bool is_quiet() const noexcept;

  /// Closes, waits for quiet, cancels the rest when the grace begins, and abandons unfinished work
  /// at the deadline (A10).
  static asio::awaitable<drain_report> drain(std::shared_ptr<component_core> self,
                                             std::chrono::steady_clock::duration deadline,
                                             drain_options options);
  /// Closes and waits for quiet, however long that takes.
  static asio::awaitable<drain_report> drain(std::shared_ptr<component_core> self,
                                             drain_options options);

  /// At the end of the component: closes, abandons waiting messages, cancels handlers that run for
  /// the mailbox.
  void end() noexcept;

  /// Counts a message that the mailbox refused or dropped, and notifies the observer.
  void refused(value_ref message, std::string_view topic) noexcept;
  void refused(const msgbus::step& message) noexcept { count_rejected(message); }
  void dropped_newest(value_ref message, std::string_view topic) noexcept;
  /// Counts an attempt that exceeded its timeout, and notifies the observer.
  void overran(const msgbus::step& step, std::chrono::steady_clock::duration took) noexcept;
  /// Counts attempts that another one follows. Under a guard.
  /// Stops at 2^31: its 32 bits fit between other members.
  void count_repeated() noexcept {
    if (repeated() < std::numeric_limits<std::uint32_t>::max() / 2) {
      repeated_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] std::uint64_t repeated() const noexcept {
    return repeated_.load(std::memory_order_relaxed);
  }
  /// Throws `closed`, with the name of the component.
  [[noreturn]] void throw_closed(const msgbus::step& message);

  /// For `run_inline`, under a guard: calls the route's only handler; null: there is none.
  bool call_sole(routing::entry* sole, value_ref message, const msgbus::context& ctx,
                 failures& failed, bool from_mailbox);
  /// As above, while an observer, a tracer or a measurement is attached. Returns false if the slow
  /// path is needed.
  bool call_sole_watched(const attachments& by, routing::entry& sole, value_ref message,
                         const msgbus::context& ctx, failures& failed, bool from_mailbox);
  bool call_sole_timed(const attachments& by, routing::entry& sole, value_ref message,
                       const msgbus::context& ctx, failures& failed, bool from_mailbox);

  void call_and_settle(routing::entry& sole, const component::provider_state& overrides,
                       value_ref message, const msgbus::context& ctx, failures& failed);

  // For runs, under a guard.
  void begin(component_run& d, const attachments* by);
  void settle(component_run& d, observer* observer);
  // Fast paths. `settle_quickly` always settles, and returns false, as `advance` does at its end.
  void begin_quickly(component_run& d, const attachments* by);
  bool settle_quickly(component_run& d, const attachments* by);
  /// Runs one handler of the run; true if it must be awaited.
  bool run_one(const routing::route_entry& route, component_run& d, const attachments* by);
  bool run_one_watched(const routing::route_entry& route, component_run& d, const attachments& by);
  /// Notifies the observer of one handler that has run.
  static void notify(const component_run& d, const attachments& by, const routing::entry& handler,
                     std::size_t failed_before);
  void cut_off_run(component_run& d) noexcept;

  /// The run was cancelled before its next handler started: it counts as abandoned; or as rejected,
  /// if no handler had started and the component is closed.
  void give_up(component_run& d) noexcept;

  /// The schedule of messages that are sent later; made on first use.
  [[nodiscard]] scheduler& schedules();
  /// The number of scheduled messages that are not yet in the mailbox.
  [[nodiscard]] std::size_t due_later() const noexcept;
  /// Counts a scheduled message that will not be sent. `reported`: a drain report covers it.
  void give_up_scheduled(const exec::queued_message& message, bool reported) noexcept;
  /// Counts a message that could not be made.
  void failed_to_make(const msgbus::step& step, const std::exception_ptr& why) noexcept;
  /// A scheduled message was offered, or has its outcome, and is still pending. Under a guard: if
  /// all was written off before, it is abandoned.
  void scheduled_offered() noexcept;
  /// It is pending no more. Under a guard.
  void scheduled_settled() noexcept {
    if (watching_.load(std::memory_order_acquire)) check_quiet();
  }

  /// Calls the function until the component ends.
  void add_hook(message_hooks::hook added) {
    rare_.made().hooks.add(routes().guarded(), std::move(added));
  }

  [[nodiscard]] bool is_traced() const noexcept { return mailbox.is_traced(); }
  /// Makes spans of the component's messages and handlers; null: stops that.
  void trace(std::shared_ptr<tracer> by);
  std::shared_ptr<msgbus::detail::active_span> begin_send(exec::send_operation& out,
                                                          std::uint64_t number) noexcept override;

  /// Measures the times of one message in `sample` while the result exists. All callers share one
  /// measurement, with the smallest `sample`.
  [[nodiscard]] std::shared_ptr<const measured_times> measure(std::uint32_t sample);

  /// For handlers with a limit of time.
  [[nodiscard]] exec::deadline_timers& deadlines() { return rare_.made().deadlines; }

  /// Messages from the mailbox are handled in the order of their keys (P5).
  void order_by(std::shared_ptr<const exec::key_rule> rule) {
    rare_.made().keys.add(routes().guarded(), rule);
    mailbox.order_by(routes().guarded(), std::move(rule));
  }
  /// The key of a message, for senders with an order of their own; null: no key. Throws
  /// `bad_alloc`.
  [[nodiscard]] exec::keyed_ptr key_for(value_ref message, std::string_view topic) const;

  /// For handlers that are attached from now on. Throws `unsupported` for an executor and `once`.
  void set_default_policy(policy handler_policy);
  /// The policy of a handler that is attached with this one; null: it has none.
  [[nodiscard]] policy policy_for(policy* own) const;

  /// The owner of this object.
  [[nodiscard]] virtual std::shared_ptr<component_core> self() noexcept = 0;

  /// The name of the component in errors and for observers.
  [[nodiscard]] component_name& called() noexcept { return unreported_.component; }
  [[nodiscard]] const component_name& called() const noexcept { return unreported_.component; }

  /// Adds the component and its senders to a graph. Its own name comes before `name`.
  void describe_to(msgbus::detail::graph_builder& to, std::string_view name) const;
  /// The attached handlers, in the order of attachment.
  [[nodiscard]] virtual std::vector<component::described_handler> described_handlers(
      msgbus::detail::graph_builder& in) const = 0;

  /// Visits the policies of the attached handlers, under a lock of their routes.
  using policy_visitor = msgbus::detail::function_ref<void(const msgbus::detail::stored_policy&)>;
  virtual void for_each_policy(policy_visitor visit) const = 0;

  /// All handlers of the topic, for errors.
  [[nodiscard]] virtual std::string describe_handlers(std::string_view topic) const;

  mutable component::component_state shared;

 private:
  // Read by every message, like the members before.
  routing::router& routes_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> written_off_{false};       // what has no outcome yet is abandoned
  std::atomic<bool> watching_{false};          // a listener waits for quiet
  std::atomic<bool> senders_finished_{false};  // all senders that saw it open have enqueued
  std::atomic<std::uint32_t> repeated_{0};     // attempts that another one followed

 public:
  component::bound_to<component_core> senders;  // the fan-outs that it is bound to

 private:
  /// Messages that were abandoned by the destruction of the component or of its context, without an
  /// observer: the destructor prints their number. Constructed before the mailbox, which abandons
  /// its messages.
  class unreported {
   public:
    explicit unreported(const char* kind) noexcept : component(kind) {}
    unreported(const unreported&) = delete;
    unreported& operator=(const unreported&) = delete;
    ~unreported();
    void add(std::string_view message) noexcept;
    void drained() noexcept { drained_.store(true, std::memory_order_relaxed); }

    component_name component;

   private:
    std::atomic<std::uint64_t> messages_{0};
    std::unique_ptr<const std::string> first_;  // written by the thread that counts the first
    std::atomic<bool> drained_{false};
  };
  unreported unreported_;

 public:
  exec::mailbox mailbox;
  on_demand<helper_scheduler> helpers;

 protected:
  ~component_core() = default;

  /// For the span of a sent message: its name, and the new cause of the message.
  [[nodiscard]] virtual std::string_view sent_name(const exec::send_operation& out) const noexcept;
  virtual void set_cause(exec::send_operation& out, const shared_origin& cause) const;

  [[nodiscard]] const char* kind() const noexcept final { return called().text(); }
  bool handle(exec::queued_message& message, asio::awaitable<void>& rest) override;
  /// Records the wait of a message in the mailbox, since `sent`, and that the handlers of its run
  /// are measured. Under a guard.
  void note_wait(component_run& d, handling_times& times, exec::sent_time sent, times_key key);
  /// A message from the mailbox that cannot be handled: it counts as failed.
  void refuse(component_run& d, const std::exception_ptr& why) noexcept;

  /// Counts a command without a handler, under a guard: it counts as failed.
  void count_no_handler(const component_run& d) noexcept;

  /// The error for a message that no handler accepts.
  [[nodiscard]] virtual std::exception_ptr mismatch(const component_run& d) const;
  [[nodiscard]] std::exception_ptr mismatch_or_why(const component_run& d) const noexcept;

 private:
  void abandoned(const exec::queued_message& message) noexcept override;
  void dropped(const exec::queued_message& message) noexcept override;
  void failed(const exec::queued_message& message, const std::exception_ptr& why) noexcept override;
  std::shared_ptr<const void> keep() noexcept override { return self(); }

  struct handling;
  /// A callback for quiet.
  struct listener {
    std::weak_ptr<void> target;
    void (*notify)(void* target);
  };
  struct listeners {
    std::vector<listener> all;
    std::size_t sweep_at = 16;  // at this size, expired ones are removed
  };
  void listen(listener added);
  void handler_ended_watched(component_run& d);
  void begin_times(component_run& d, handling_times& times);
  [[nodiscard]] times_series& times_of(handling_times& times, routing::entry& entry,
                                       value_ref message, std::string_view name);
  /// For failures of no handler, under a guard.
  void record_failure(const msgbus::step& message, const std::exception_ptr& why) const noexcept;
  void record_unrouted(const msgbus::step& message) const noexcept;
  friend class measured_times;
  void stop_measuring(const std::shared_ptr<handling_times>& times) noexcept;
  void close(bool reported) noexcept;
  void close_to_senders() noexcept;
  void forget_rules() noexcept;               // no key function runs any more after this
  [[nodiscard]] bool close_verbs() noexcept;  // true for the first call
  void watch() noexcept;
  [[nodiscard]] scheduler* made_schedules() const noexcept;
  void abandon(const exec::queued_message& message, bool was_accepted, bool reported) noexcept;
  void count_begun(outcome result) noexcept;  // under a guard: a message with its outcome
  bool count(outcome result) noexcept;  // one that settles a message; false: it was written off
  void count_rejected(const msgbus::step& message) noexcept;
  void grace_ended() noexcept;
  void check_quiet() noexcept;
  void notify_quiet() noexcept;
  void write_off() noexcept;
  [[nodiscard]] counters counted() const noexcept;

  /// The parts that only few components need.
  struct rare_state {
    std::mutex mutex;
    policy defaults;  // of handlers; under the mutex
    message_hooks hooks;
    exec::key_rules keys;                          // as the mailbox has them
    std::weak_ptr<const measured_times> measured;  // under the mutex
    exec::deadline_timers deadlines;
    listeners to_notify;                   // under the lock below
    std::shared_ptr<scheduler> schedules;  // written once, under the mutex; then read by the next
    std::atomic<scheduler*> made_schedules{nullptr};
  };
  on_demand<rare_state> rare_;
  [[nodiscard]] const message_hooks* hooks() const noexcept {
    const rare_state* const made = rare_.get();
    return made ? &made->hooks : nullptr;
  }
  void report_abandoned(value_ref message) const noexcept {
    if (const message_hooks* const attached = hooks()) attached->abandoned(message);
  }

  mutable std::mutex listeners_mutex_;

  outcomes counts_;  // apart from members that are written, and from those that are read
};

/// Measures the times of a component as long as it exists. May outlive the component.
class measured_times {
 public:
  measured_times(std::weak_ptr<component_core> of, std::shared_ptr<handling_times> times) noexcept
      : of_(std::move(of)), times_(std::move(times)) {}
  measured_times(const measured_times&) = delete;
  measured_times& operator=(const measured_times&) = delete;
  ~measured_times() {
    if (const auto there = of_.lock()) there->stop_measuring(times_);
  }

  [[nodiscard]] handling_times& times() const noexcept { return *times_; }

 private:
  const std::weak_ptr<component_core> of_;
  const std::shared_ptr<handling_times> times_;
};

/// `io_context 1`, `strand of thread_pool 2`: the same number is the same context. Empty for an
/// empty executor.
[[nodiscard]] std::string executor_text(const asio::any_io_executor& executor,
                                        msgbus::detail::graph_builder& in);

}  // namespace msgbus::async::detail
