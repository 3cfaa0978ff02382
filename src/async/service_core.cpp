#include <msgbus/async/detail/service_core.hpp>

#include <msgbus/async/detail/attempts.hpp>
#include <msgbus/async/detail/fan_out.hpp>
#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/exec/branches.hpp>
#include <msgbus/exec/lane_executor.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::async::detail {

void outgoing_command::prepare(bool for_slot) {
  if (!for_slot && !boxed_) boxed_ = std::make_unique<carried_command>(std::move(asked_));
}

void outgoing_command::put(void* place) noexcept {
  ::new (place) carried_command(std::move(asked_));
}

service_core::service_core(const asio::any_io_executor& executor, const mailbox_options& options,
                           std::shared_ptr<provider> overrides)
    : core(*this, executor, options, std::move(overrides)) {}

service_core::~service_core() = default;

std::shared_ptr<service_core> service_core::make(const asio::any_io_executor& executor,
                                                 const mailbox_options& options,
                                                 std::shared_ptr<provider> overrides) {
  return std::make_shared<service_core>(executor, options, std::move(overrides));
}

namespace {

/// What a command is, when something must be said of its type.
struct command_arguments {};

asio::awaitable<void> run_owned(std::shared_ptr<std::shared_ptr<command>> home) {
  command& asked = **home;
  if (asked.d.begun || asked.service->advance(asked.d)) co_await deliver_rest(asked.d);
}

/// Runs the command, or the rest of one that has begun, in a coroutine of its own on the service's
/// executor, and throws what is wrong with it.
asio::awaitable<void> run_apart(std::shared_ptr<command> asked, asio::any_io_executor here,
                                bool cancellable) {
  auto home = std::make_shared<std::shared_ptr<command>>(asked);
  asked->d.home = home.get();
  exec::branches there;
  there.start(exec::child_executor(here, asked->service->executor(), cancellable),
              run_owned(std::move(home)));
  co_await there.join();
  if (there.was_given_up(0)) asked->service->give_up(asked->d);
  if (const std::exception_ptr failure = there.failure(0)) std::rethrow_exception(failure);
}

/// A command in the hands of a lane.
struct posted {
  std::shared_ptr<command> asked;
  [[nodiscard]] delivery& in_hand() const noexcept { return asked->d; }
};

/// The handler's awaitable, for deliveries.
step_taken start_command(routing::entry& entry, delivery& d, asio::awaitable<void>* start) {
  auto& asked = *static_cast<std::shared_ptr<command>*>(d.home);
  return static_cast<operation_entry&>(entry).run(asked, start);
}

asio::awaitable<void> run_bare(bare_operation what, std::shared_ptr<command> asked, bool may_move,
                               const context& known, failures& failed) {
  try {
    auto running = what.call(what.f, asked, may_move, known);
    co_await std::move(running);
  } catch (...) {
    failed.add(std::current_exception());
  }
}

}  // namespace

asio::awaitable<void> start_bare(bare_operation what, operation_entry& entry,
                                 const held_policy& how, const std::shared_ptr<command>& asked) {
  delivery& d = asked->d;
  if (how.is_plain()) return run_bare(what, asked, true, *d.known, d.failed);
  const bool only_once = how.retry.attempts <= 1;
  auto make = [what, asked, only_once](attempt& mine) {
    return run_bare(what, asked, only_once, mine.known, mine.failed);
  };
  run_attempt at_once;
  if (what.call_at_once) {
    at_once = [what, asked, only_once](attempt& mine) {
      try {
        what.call_at_once(what.f, *asked, only_once, mine.known);
      } catch (...) {
        mine.failed.add(std::current_exception());
      }
    };
  }
  return run_attempts(asked->service->self(), entry, asked, *d.known, entry.name, how, make,
                      d.failed, std::move(at_once));
}

command::command(std::shared_ptr<service_core> in, std::string called)
    : service(std::move(in)),
      name(std::move(called)),
      origin(current_cause() ? *current_cause() : nullptr),
      known(context::caused_by(origin.get())),
      d(*service, value_ref{key_of<command_arguments>, nullptr}, known) {
  d.operation = name;
}

bool service_core::advance(delivery& d) {
  const snapshot::guard guard(guarded());
  observer* const watcher = core::shared.watcher.get();
  auto& asked = *static_cast<std::shared_ptr<command>*>(d.home);
  if (!d.begun) {
    if (closed() && !d.from_mailbox) throw_closed(d.step());
    routing::entry* const found = asked->only ? asked->only.get() : find(asked->name);
    if (!found || !found->active()) throw_no_handler(*asked);
    begin(d, watcher);
    const routing::item item{reinterpret_cast<void (*)()>(&start_command), found};
    if (run_one(item, d, watcher)) return true;
  }
  settle(d, watcher);
  return false;
}

std::shared_ptr<exec::carried> carried_command::share() {
  return std::make_shared<carried_command>(std::move(command_));
}

value_ref outgoing_command::message() const noexcept {
  return {key_of<command_arguments>, nullptr};
}

bool service_core::handle(exec::carried& message, asio::awaitable<void>& rest) {
  auto& asked = static_cast<carried_command&>(message).asked();
  asked->d.from_mailbox = true;
  asked->d.home = &asked;
  try {
    if (!advance(asked->d)) return true;
  } catch (...) {
    refuse(asked->d, std::current_exception());
    return true;
  }
  rest = handle_rest(posted{asked});
  return false;
}

asio::awaitable<receipt> send_command(std::shared_ptr<command> asked) {
  const auto to = asked->service;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  outgoing_command out(asked);
  co_return co_await send_to(*to, out, here);
}

receipt post_command(std::shared_ptr<command> asked) {
  const auto to = asked->service;
  outgoing_command out(asked);
  return post_to(*to, out);
}

void service_core::throw_no_handler(const command& asked) {
  if (!asked.d.from_mailbox) count_no_handler(asked.d);
  if (asked.only) {
    throw error(errc::no_handler, asked.only->describe() +
                                      " is no longer handled: it was cancelled, or its service is "
                                      "gone");
  }
  std::string there;
  for (const std::string& each : names()) there += (there.empty() ? "" : ", ") + each;
  throw error(errc::no_handler, "no operation '" + asked.name + "'; there " +
                                    (there.empty() ? "are none" : "are: " + there));
}

void service_core::close() noexcept {
  core::end();
  router::close();
}

asio::awaitable<void> run_command(std::shared_ptr<command> asked) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancellable = state.slot().is_connected();
  asked->d.home = &asked;
  if (!exec::runs_on(here, asked->service->executor())) {
    if (!asked->service->mailbox.can_run()) asked->service->throw_closed(asked->d.step());
    co_await run_apart(asked, here, cancellable);
  } else if (asked->service->advance(asked->d)) {
    if (cancellable) {
      co_await run_apart(asked, here, true);
    } else {
      co_await deliver_rest(asked->d);
    }
  }
  delivery& d = asked->d;
  d.failed.throw_any();
  if (d.cancelled) throw asio::system_error(asio::error::operation_aborted, "an operation");
}

void operation_entry::throw_bad_count(const std::string& operation, std::size_t wanted,
                                      std::string_view types,
                                      std::span<const component::argument> given) {
  std::string got;
  for (const component::argument& each : given) {
    got += (got.empty() ? "" : ", ") + std::string(each.value.type->name);
  }
  throw error(errc::bad_arguments, "operation '" + operation + "' takes " + std::to_string(wanted) +
                                       (wanted == 1 ? " argument (" : " arguments (") +
                                       std::string(types) + "), not " +
                                       std::to_string(given.size()) + " (" + got + ")");
}

}  // namespace msgbus::async::detail
