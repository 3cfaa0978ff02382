#include <msgbus/async/host.hpp>

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/error.hpp>

#include "async/host_state.hpp"
#include "exec/task_group.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/signal_set.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace msgbus::async {

namespace detail {

namespace {

/// Watches signals that end a host. Kept by its completion while it waits. The first signal and the
/// second are for the host; then it watches no more. Thread-safe.
class signal_watch : public std::enable_shared_from_this<signal_watch> {
 public:
  /// Throws `std::system_error` for a number that is no signal.
  signal_watch(const asio::any_io_executor& executor, const std::array<int, 8>& signals,
               std::weak_ptr<host_state> host);

  void start();
  void end() noexcept;

 private:
  void heard();

  std::mutex mutex_;
  asio::signal_set set_;  // under the mutex
  bool ended_ = false;    // under the mutex
  const std::weak_ptr<host_state> host_;
};

signal_watch::signal_watch(const asio::any_io_executor& executor, const std::array<int, 8>& signals,
                           std::weak_ptr<host_state> host)
    : set_(executor), host_(std::move(host)) {
  for (const int each : signals) {
    if (each != 0) set_.add(each);
  }
}

void signal_watch::start() {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  set_.async_wait([self = shared_from_this()](const std::error_code& error, int) {
    if (!error) self->heard();
  });
}

void signal_watch::heard() {
  const std::shared_ptr<host_state> host = host_.lock();
  if (!host) return end();
  const bool again = host->is_stopped();
  host->signalled();
  if (again) return end();
  start();
}

void signal_watch::end() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(ended_, true)) return;
  std::error_code ignored;
  set_.clear(ignored);
  set_.cancel(ignored);
}

/// Watches signals as long as it exists.
class watching_signals {
 public:
  watching_signals(const std::shared_ptr<host_state>& of, const run_options& options) {
    const bool any = std::ranges::any_of(options.signals, [](int each) { return each != 0; });
    if (any) watch_ = std::make_shared<signal_watch>(executor_of(*of), options.signals, of);
  }
  watching_signals(const watching_signals&) = delete;
  watching_signals& operator=(const watching_signals&) = delete;
  ~watching_signals() {
    if (watch_) watch_->end();
  }
  void start() const {
    if (watch_) watch_->start();
  }

 private:
  static asio::any_io_executor executor_of(const host_state& state) {
    asio::any_io_executor executor = state.executor();
    if (executor) return executor;
    throw error(errc::closed,
                "the host cannot watch signals: the context of its executor has been "
                "destroyed");
  }

  std::shared_ptr<signal_watch> watch_;
};

/// A step of the machine; the coroutine that runs it, and the one that waits, share it.
struct running_step {
  host_state::next_step next;
  drain_report report;
};

asio::awaitable<void> run_step(std::shared_ptr<running_step> mine) {
  const host_machine::step& step = mine->next.step;
  host_member& member = *mine->next.member;
  auto work = step.action == host_machine::act::drain ? member.drain(step.left)
                                                      : member.end_intake(step.left);
  mine->report = co_await std::move(work);
}

host_report empty_report(const host_members& all) {
  host_report report;
  report.components.reserve(all.size());
  for (const auto& each : all) {
    component_report added;
    added.name = each->name();
    added.kind = each->kind();
    report.components.push_back(std::move(added));
  }
  return report;
}

void add_to(component_report& report, const drain_report& more) {
  report.report.handled += more.handled;
  report.report.failed += more.failed;
  report.report.abandoned += more.abandoned;
}

void check_not_cancelled(host_state& state, const asio::cancellation_state& of) {
  if (of.cancelled() == asio::cancellation_type::none) return;
  state.give_up();
  exec::throw_aborted("host::run");
}

asio::awaitable<host_report> run_host(std::shared_ptr<host_state> state, run_options options) {
  const watching_signals watching(state, options);
  if (!state->begin(options.deadline)) {
    throw error(errc::bad_arguments, "run() of a host was called a second time");
  }
  watching.start();
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  co_await state->until_stopped();
  const auto waited = co_await asio::this_coro::cancellation_state;
  check_not_cancelled(*state, waited);
  std::optional<host_report> report;
  for (;;) {
    auto group = std::make_shared<exec::task_group>();
    auto mine = std::make_shared<running_step>();
    mine->next = state->next(exec::now(here), group);
    if (!report) report.emplace(empty_report(state->all()));
    if (!mine->next.member) break;
    const host_machine::step& step = mine->next.step;
    component_report& of = report->components[step.member];
    if (!mine->next.member->exists()) {
      of.destroyed = true;
      state->ended(false);
      continue;
    }
    // A strand of its own, so that any thread may cancel it.
    group->start(exec::child_executor(here, here, true), run_step(mine));
    // A hurry that came before the start has cancelled nothing.
    if (step.left != host_machine::duration::zero() && state->hurried()) {
      group->cancel(asio::cancellation_type::terminal);
    }
    co_await group->join();
    const std::exception_ptr failure = group->failure(0);
    const auto ended = co_await asio::this_coro::cancellation_state;
    check_not_cancelled(*state, ended);
    const bool interrupted = exec::is_aborted(failure) &&
                             step.left != host_machine::duration::zero() && state->hurried();
    if (failure && !interrupted) of.failure = failure;
    if (!failure) add_to(of, mine->report);
    of.destroyed = !mine->next.member->exists();
    state->ended(interrupted);
  }
  report->took = state->took(exec::now(here));
  report->at_once = state->hurried();
  co_return std::move(*report);
}

}  // namespace

asio::awaitable<host_report> drain_members(std::vector<std::shared_ptr<host_member>> members,
                                           std::chrono::steady_clock::duration deadline) {
  auto state = std::make_shared<host_state>(std::move(members));
  state->stop();
  run_options options;
  options.deadline = deadline;
  return run_host(std::move(state), options);
}

}  // namespace detail

host::host(asio::any_io_executor executor)
    : state_(std::make_shared<detail::host_state>(executor)) {}

host::~host() {
  state_->stop_now();
  state_->host_destroyed();
  for (std::shared_ptr<void>& each : owned_) each.reset();
}

void host::add(std::shared_ptr<detail::host_member> member) { state_->add(std::move(member)); }

std::function<std::vector<std::shared_ptr<detail::host_member>>()> host::members() const {
  return [state = state_] { return state->all(); };
}

std::function<detail::host_progress()> host::progress() const {
  return [state = state_] { return state->progress(); };
}

void host::own(std::shared_ptr<void> component) {
  const std::lock_guard lock(state_->mutex());
  owned_.push_back(std::move(component));
}

asio::awaitable<host_report> host::run(run_options options) {
  return detail::run_host(state_, options);
}

void host::stop() noexcept { state_->stop(); }

void host::stop_now() noexcept { state_->stop_now(); }

void host::observe(std::shared_ptr<observer> observer) {
  for (const auto& each : state_->all()) each->observe(observer);
}

void host::trace(const std::shared_ptr<tracer>& tracer) {
  for (const auto& each : state_->all()) each->trace(tracer);
}

msgbus::detail::describer host::describer() const {
  return [all = members()](msgbus::detail::graph_builder& to, std::string_view) {
    for (const auto& each : all()) each->describe(to);
  };
}

std::vector<component_stats> host::stats() const {
  std::vector<component_stats> all;
  for (const auto& each : state_->all()) {
    if (std::optional<component_stats> one = each->stats()) all.push_back(std::move(*one));
  }
  return all;
}

asio::any_io_executor host::get_executor() const {
  asio::any_io_executor executor = state_->executor();
  if (!executor) {
    throw error(errc::closed, "the context of the host's executor has been destroyed");
  }
  return executor;
}

}  // namespace msgbus::async
