#pragma once

/// The lifecycle of a program's components in one object: names, the end in order, a report.

#include <msgbus/async/host_report.hpp>
#include <msgbus/detail/async/base.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/observer.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace msgbus::async {

namespace detail {

class host_state;

/// Drains the members as a host does that was stopped already.
[[nodiscard]] asio::awaitable<host_report> drain_members(
    std::vector<std::shared_ptr<host_member>> members,
    std::chrono::steady_clock::duration deadline);

}  // namespace detail

/// Ends a program's components together, in the order in which messages flow, within one deadline:
///
///     msgbus::async::host all(io);
///     all.add("orders", orders);  // messages come in here
///     all.add("audit", audit);    // and end here
///     const auto report = co_await all.run({.signals = {SIGINT, SIGTERM}, .deadline = 10s});
///
/// Errors and observers call a component by its name in the host: `would_deadlock`, and
/// `step::component`.
///
/// A member is an async consumer, subscriber or service, a `bridge`, or an object of the program
/// with `close()` and `asio::awaitable<drain_report> drain(duration)`, such as a listener.
/// Components and bridges may be destroyed before the host, at any time; such objects must outlive
/// `run`.
///
/// Thread-safe, except for the destructor. `run` ends before it.
class host {
 public:
  /// `executor` is for signals, and for components that `emplace` makes without one.
  explicit host(asio::any_io_executor executor);
  /// The same with the executor of a context, such as an `asio::io_context`.
  template <exec::execution_context Context>
  explicit host(Context& context) : host(asio::any_io_executor(context.get_executor())) {}
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  /// Destroys what `emplace` has made, in the order of the flow.
  ~host();

  /// Adds a member at the end. The host does not own it. Add members in the order in which messages
  /// flow. A member that takes messages from outside, such as a bridge or a listener, ends its
  /// intake before any member is drained. It is then drained in its turn: add it at the position
  /// where its last messages go out.
  ///
  /// Throws: `bad_arguments` for a name that is empty or already in use; `closed` while the host
  /// ends.
  template <class Component>
  void add(std::string name, Component& component) {
    add(detail::make_member(std::move(name), component));
  }

  /// Makes a component from the arguments, and owns it. Without an executor as the first argument,
  /// the component gets that of the host: `emplace<consumer>("audit")`.
  ///
  /// Throws: as `add`, and as the constructor.
  template <class Component, class... Args>
  Component& emplace(std::string name, Args&&... args) {
    std::shared_ptr<Component> made;
    if constexpr (std::is_constructible_v<Component, Args...>) {
      made = std::make_shared<Component>(std::forward<Args>(args)...);
    } else {
      static_assert(std::is_constructible_v<Component, asio::any_io_executor, Args...>,
                    "msgbus: the component has no constructor with these arguments, neither with "
                    "the executor of the host before them nor without it");
      made = std::make_shared<Component>(get_executor(), std::forward<Args>(args)...);
    }
    add(detail::make_member(std::move(name), *made));
    own(made);
    return *made;
  }

  /// Waits for a signal or `stop`. Then every intake ends, and the members are drained, one after
  /// the other (A10). All members share one deadline: time that one of them does not use is left
  /// for the next. A second signal, or `stop_now`, ends that time: unfinished messages are
  /// abandoned, and reported as such. A third signal has the default effect of the system.
  ///
  /// A signal needs a thread that runs the host's executor: a handler that blocks the only one
  /// blocks signals too.
  ///
  /// Completes: when every member has been drained, at the deadline at the latest. An object with
  /// its own `drain` may take longer.
  /// Throws: `bad_arguments` if it has been called before; `std::system_error` for a number that is
  /// no signal.
  /// Cancellation: ends the wait with Asio's `operation_aborted`. Members whose drain has begun
  /// stay closed; the others stay open.
  /// Executor: the caller's; time is that of its context's clock.
  [[nodiscard]] asio::awaitable<host_report> run(run_options options = {});

  /// Makes `run` end the members, also a `run` that is called later. The first call counts.
  void stop() noexcept;
  /// As `stop`, but leaves no time to any member, also if the host is already ending.
  void stop_now() noexcept;

  /// Attaches an observer to every component that was added, in place of its own; null detaches it.
  void observe(std::shared_ptr<observer> observer);

  /// Attaches a tracer to every component and bridge that was added, in place of its own; null
  /// detaches it.
  void trace(const std::shared_ptr<tracer>& tracer);

  /// The figures of the components that exist, in the order of the flow.
  [[nodiscard]] std::vector<component_stats> stats() const;

  /// The executor for signals.
  ///
  /// Throws: `closed` if its context was destroyed.
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend detail::host_access;
  friend msgbus::detail::describe_access;

  [[nodiscard]] msgbus::detail::describer describer() const;
  /// Returns the members. The function may outlive the host.
  [[nodiscard]] std::function<std::vector<std::shared_ptr<detail::host_member>>()> members() const;
  [[nodiscard]] std::function<detail::host_progress()> progress() const;
  void add(std::shared_ptr<detail::host_member> member);
  void own(std::shared_ptr<void> component);

  const std::shared_ptr<detail::host_state> state_;
  std::vector<std::shared_ptr<void>> owned_;  // under the lock of the state
};

/// Drains these components in this order, within one deadline, as a host does: `co_await
/// drain_all(10s, orders, audit)`.
///
/// Completes: when every one has been drained, at the deadline at the latest.
/// Throws: nothing else than `operation_aborted`.
/// Cancellation: ends the wait. Components whose drain has begun stay closed.
/// Executor: the caller's; time is that of its context's clock.
template <class... Components>
[[nodiscard]] asio::awaitable<host_report> drain_all(std::chrono::steady_clock::duration deadline,
                                                     Components&... components) {
  std::vector<std::shared_ptr<detail::host_member>> all;
  all.reserve(sizeof...(Components));
  (all.push_back(detail::make_member(std::string(), components)), ...);
  return detail::drain_members(std::move(all), deadline);
}

}  // namespace msgbus::async
