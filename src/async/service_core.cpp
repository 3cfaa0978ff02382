#include <msgbus/detail/async/service_core.hpp>

#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/error.hpp>

#include "async/await_handlers.hpp"
#include "async/run_one.hpp"
#include "async/verb_run.hpp"
#include "component/explain.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::async::detail {

service_core::service_core(const asio::any_io_executor& executor, const mailbox_options& options,
                           std::shared_ptr<provider> overrides)
    : component_core("the service", *this, executor, options, std::move(overrides)) {}

service_core::~service_core() = default;

std::shared_ptr<service_core> service_core::make(const asio::any_io_executor& executor,
                                                 const mailbox_options& options,
                                                 std::shared_ptr<provider> overrides) {
  return std::make_shared<service_core>(executor, options, std::move(overrides));
}

namespace {

/// The type of a command's message, for its `type_key`.
struct command_arguments {};

/// A command that its caller awaits.
class command_run final : public verb_run {
 public:
  using verb_run::verb_run;
  [[nodiscard]] std::exception_ptr ended(bool cancel_requested) {
    return ended_with(cancel_requested);
  }
};

/// A command in the hands of a consumer loop.
struct posted {
  command_ptr asked;
  [[nodiscard]] component_run& in_hand() const noexcept { return asked->d; }
};

/// A command from elsewhere, in a coroutine of its own.
struct served {
  explicit served(command_ptr&& carried_out) noexcept : asked(std::move(carried_out)) {}
  served(const served&) = delete;
  served& operator=(const served&) = delete;
  ~served() { asked->d.cut_off(); }  // if its coroutine is destroyed: others may keep the command
  static constexpr bool is_caller = false;
  static constexpr bool is_loop = false;

  [[nodiscard]] component_run& in_hand() noexcept { return asked->d; }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure) {
    return go_on(asked->d, failure);
  }

  const command_ptr asked;
};

/// The handler's awaitable, for runs.
step_taken start_command(routing::entry& entry, component_run& d, asio::awaitable<void>* start) {
  return static_cast<operation_entry&>(entry).run(*static_cast<command*>(d.storage), start);
}

}  // namespace

step_taken start_operation(const handler_call& handler, const handler_in_hand& which,
                           command& asked, asio::awaitable<void>* start) {
  if (!start) {
    asked.d.current = surrounding(handler, which, asked.d);
  } else if (asked.d.current == surrounded::by_nothing) {
    *start = start_once(handler, which, asked.d);
  } else if (!start_guarded(handler, which, asked.d, start)) {
    *start = start_attempts(handler, which, asked.d, keep(command_ptr(&asked)), asked.name, &asked);
  }
  return step_taken::suspends;
}

command::command(std::shared_ptr<service_core> in, std::string called)
    : service(std::move(in)),
      name(std::move(called)),
      d(first.emplace(*service, value_ref{key_of<command_arguments>, this}, ctx)) {
  if (const shared_origin* const led_to_it = current_cause()) cause = *led_to_it;
  ctx = context::caused_by(cause.get());
  d.operation = name;
  d.storage = this;
}

std::shared_ptr<const void> keep(const command_ptr& asked) {
  return {asked.get(), [asked](const void*) {}};
}

void* command::operator new(std::size_t size) {
  return size <= exec::block_bytes ? exec::take_block() : ::operator new(size);
}

void command::operator delete(void* made, std::size_t size) noexcept {
  if (size <= exec::block_bytes) return exec::give_back_block(made);
  ::operator delete(made);
}

void command::begin(verb_run& run) { run.deliver_first(*service); }

void command::nothing_ran(bool) {}  // it has its handler, or has failed

asio::awaitable<std::exception_ptr> run_command(call_ptr<verb_call> asked) {
  return await_handlers<std::exception_ptr, command_run>(std::move(asked));
}

template <>
asio::awaitable<void> call_command(call_ptr<command_for<void>> asked) {
  auto running = run_command(call_ptr<verb_call>(asked.get()));
  const std::exception_ptr failure = co_await std::move(running);
  if (failure) std::rethrow_exception(failure);
  asked->take();
}

bool service_core::advance(component_run& d) {
  const routing::guard guard(guarded());
  const attachments* const by = component_core::shared.attached_observer.attachments_now();
  if (!d.begun) {
    const command& asked = *static_cast<command*>(d.storage);
    if (closed() && !d.from_mailbox) throw_closed(d.step());
    routing::entry* const found = asked.only ? asked.only.get() : find(asked.name);
    if (!found || !found->active()) throw_no_handler(asked);
    begin_quickly(d, by);
    const routing::route_entry route{reinterpret_cast<void (*)()>(&start_command), found};
    if (run_one(route, d, by)) return true;
  }
  return settle_quickly(d, by);
}

std::shared_ptr<exec::queued_message> queued_command::share() {
  return std::make_shared<queued_command>(std::move(command_));
}

exec::message_head queued_command::head() const noexcept {
  return {{key_of<command_arguments>, &command_}, {}, &command_->cause};
}

namespace {

exec::send_operation as_send_operation(command_ptr& asked) {
  static constexpr exec::send_operation::source source{
      [](void* at, void*, void* storage) noexcept {
        ::new (storage) queued_command(std::move(*static_cast<command_ptr*>(at)));
      },
      [](void* at, void*) -> exec::shared_message {
        return std::make_shared<queued_command>(std::move(*static_cast<command_ptr*>(at)));
      },
      [](const void* at, const void*) noexcept { return value_ref{key_of<command_arguments>, at}; },
      [](const void*, const void*) noexcept { return std::string_view(); }};
  return {source, exec::send_operation::units_of<queued_command, command_ptr>, &asked};
}

}  // namespace

bool service_core::handle(exec::queued_message& message, asio::awaitable<void>& rest) {
  auto& asked = queued_command::in(message);
  asked->d.from_mailbox = true;
  const cause_scope cause(&asked->cause);
  try {
    if (component_core::shared.attached_observer.attachments_now()) [[unlikely]]
      note_posted(*asked, mailbox.sent_in_hand(message));
    if (!advance(asked->d)) return true;
  } catch (...) {
    refuse(asked->d, std::current_exception());
    return true;
  }
  rest = await_handlers<void, in_loop<posted>>(posted{asked});
  return false;
}

// Here, because the mailbox message is known here; the run knows only its command.
void service_core::note_posted(command& asked, exec::sent_time sent) {
  const routing::guard guard(guarded());
  const attachments* const by = component_core::shared.attached_observer.attachments_now();
  if (!by || !by->times) return;
  const routing::entry* const found = asked.only ? asked.only.get() : find(asked.name);
  if (found) note_wait(asked.d, *by->times, sent, {asked.d.message.type, found->order()});
}

bool begin_command(const command_ptr& asked, asio::awaitable<void>& rest) {
  const cause_scope cause(&asked->cause);
  try {
    if (!asked->service->advance(asked->d)) return true;
  } catch (...) {
    asked->d.failed.add(std::current_exception());
    return true;
  }
  rest = await_handlers<void, served>(command_ptr(asked));
  return false;
}

std::exception_ptr failure_of(command& asked) {
  failures& failed = asked.d.failed;
  if (failed.size() == 1) return failed[0];
  try {
    failed.throw_any();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

asio::awaitable<receipt> send_command(command_ptr asked) {
  const auto to = asked->service;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::send_operation out = as_send_operation(asked);
  co_return co_await send_to(*to, out, here);
}

exec::shared_message scheduled_command(command_ptr asked) {
  return std::make_shared<queued_command>(std::move(asked));
}

receipt post_command(command_ptr asked) {
  const auto to = asked->service;
  exec::send_operation out = as_send_operation(asked);
  return post_to(*to, out);
}

receipt send_blocking_command(command_ptr asked, std::chrono::steady_clock::duration timeout) {
  const auto to = asked->service;
  exec::send_operation out = as_send_operation(asked);
  return send_blocking_to(*to, out, timeout);
}

policy service_core::policy_for_operation(policy own) const {
  policy asked = policy_for(&own);
  if (asked.dead_letters || !asked.deduplicate.is_plain()) {
    throw error(errc::unsupported,
                "the policy of an operation cannot have dead_letters or deduplicate: its caller "
                "gets the failure, and needs the result");
  }
  return asked;
}

void service_core::throw_no_handler(const command& asked) {
  if (!asked.d.from_mailbox) count_no_handler(asked.d);
  if (asked.only) {
    throw error(errc::no_handler, asked.only->describe() +
                                      " has no handler: it was cancelled, or its service was "
                                      "destroyed");
  }
  throw error(errc::no_handler, component::no_operation(called().text(), asked.name, names()));
}

void service_core::shutdown() noexcept {
  component_core::end();
  router::shutdown();
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
