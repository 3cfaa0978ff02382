#pragma once

/// The core of a service, shared with operations and calls.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/async/verb_call.hpp>
#include <msgbus/detail/component/argument.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/exec/async_resolution.hpp>
#include <msgbus/detail/routing/name_table.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <tuple>

namespace msgbus::async::detail {

class operation_entry;
class service_core;
struct command;

/// Encodes the result of a command as its reply. Moves the result.
class answer_encoder {
 public:
  [[nodiscard]] virtual exec::kept_answer encode(command& asked) const = 0;

 protected:
  ~answer_encoder() = default;
};

/// One call of an operation, its types erased.
struct command : verb_call {
  command(std::shared_ptr<service_core> in, std::string called);

  // Small ones are in recycled memory; those whose arguments are over-aligned are not.
  static void* operator new(std::size_t size);
  static void operator delete(void* made, std::size_t size) noexcept;
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* made, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(made, alignment);
  }

  void begin(verb_run& run) override;
  void nothing_ran(bool refused) override;

  [[nodiscard]] virtual std::span<const component::argument> arguments() const noexcept = 0;
  [[nodiscard]] virtual component::result_ref result() noexcept = 0;

  /// It came from another process, with this origin. Called before it runs or enters a mailbox.
  void comes_with(shared_origin with) noexcept {
    cause = std::move(with);
    ctx = context({}, *cause);
  }

  const std::shared_ptr<service_core> service;
  const std::string name;
  std::shared_ptr<routing::entry> only = nullptr;  // of an `operation`: the entry that it refers to
  component_run& d;                                // the first one, and only one
  bool may_move = true;                            // its arguments: they are not needed again

  // For a command from another process, which may repeat it. `answer`: made by the handler's
  // policy, or by the first run; null: not made yet.
  std::shared_ptr<const answer_encoder> encoder = nullptr;
  std::unique_ptr<const exec::kept_answer> answer = nullptr;

 protected:
  ~command() override { first.reset(); }
};

using command_ptr = call_ptr<command>;

/// The command, kept alive with this object.
[[nodiscard]] std::shared_ptr<const void> keep(const command_ptr& asked);

/// A command with the result `R`.
template <class R>
struct command_for : command {
  using command::command;
  R take() { return result_.take(); }

 protected:
  ~command_for() override = default;
  component::result_of<R> result_;
};

// The stored type of an argument: its value, unless it is a variable that the operation may change.
template <class A>
using kept_argument = std::conditional_t<std::is_lvalue_reference_v<A> &&
                                             !std::is_const_v<std::remove_reference_t<A>>,
                                         A, std::decay_t<A>>;

template <class R, class... Args>
struct typed_command final : command_for<R> {
  template <class... Given>
  typed_command(std::shared_ptr<service_core> in, std::string called, Given&&... given)
      : command_for<R>(std::move(in), std::move(called)),
        arguments_(std::forward<Given>(given)...),
        erased_(std::apply(
            [](auto&... each) {
              return std::array<component::argument, sizeof...(Args)>{
                  component::argument::of<Args&&>(each)...};
            },
            arguments_)) {}

  std::span<const component::argument> arguments() const noexcept override { return erased_; }
  component::result_ref result() noexcept override {
    return component::result_ref::to(this->result_);
  }

 private:
  ~typed_command() override = default;
  void destroy() noexcept override { delete this; }

  std::tuple<Args...> arguments_;
  std::array<component::argument, sizeof...(Args)> erased_;
};

/// A command in the mailbox, without a waiting caller.
class queued_command final : public exec::queued_message {
 public:
  explicit queued_command(command_ptr&& asked) noexcept : command_(std::move(asked)) {}
  /// The message refers to the pointer to the command.
  [[nodiscard]] exec::message_head head() const noexcept override;
  [[nodiscard]] std::shared_ptr<queued_message> share() override;

  /// The command of a mailbox message.
  [[nodiscard]] static command_ptr& in(const exec::queued_message& message) noexcept {
    return *static_cast<command_ptr*>(const_cast<void*>(message.message().data));
  }

 private:
  command_ptr command_;
};

class service_core final : public routing::name_table, public component_core {
 public:
  service_core(const asio::any_io_executor& executor, const mailbox_options& options,
               std::shared_ptr<provider> overrides);
  ~service_core() override;

  [[nodiscard]] static std::shared_ptr<service_core> make(const asio::any_io_executor& executor,
                                                          const mailbox_options& options,
                                                          std::shared_ptr<provider> overrides);

  /// Finds the operation and runs it, if it need not be awaited. Throws `no_handler`, and the
  /// errors of the arguments.
  bool advance(component_run& d) override;
  void shutdown() noexcept;  // for the end of the component

  [[nodiscard]] std::string_view sent_name(const exec::send_operation& out) const noexcept override;
  void set_cause(exec::send_operation& out, const shared_origin& cause) const override;

  /// The policy of an operation. Throws `unsupported` for `dead_letters` and `deduplicate`.
  [[nodiscard]] policy policy_for_operation(policy own) const;

  [[nodiscard]] std::vector<component::described_handler> described_handlers(
      msgbus::detail::graph_builder& in) const override;
  void for_each_policy(policy_visitor visit) const override;

  [[nodiscard]] std::shared_ptr<component_core> self() noexcept override {
    return std::static_pointer_cast<service_core>(shared_from_this());
  }

 private:
  bool handle(exec::queued_message& message, asio::awaitable<void>& rest) override;
  void note_posted(command& asked, exec::sent_time sent);
  [[noreturn]] void throw_no_handler(const command& asked);
};

/// Runs the command on the service's executor, and returns its failure: throwing an exception
/// through each coroutine would cost more than most commands.
asio::awaitable<std::exception_ptr> run_command(call_ptr<verb_call> asked);

/// Runs the command on the service's executor; returns its result or throws its exception.
template <class R>
asio::awaitable<R> call_command(call_ptr<command_for<R>> asked) {
  auto running = run_command(call_ptr<verb_call>(asked.get()));
  const std::exception_ptr failure = co_await std::move(running);
  if (failure) std::rethrow_exception(failure);
  co_return asked->take();
}
template <>
asio::awaitable<void> call_command(call_ptr<command_for<void>> asked);

/// Runs a command from another process; called on its service's executor. Returns true if it has
/// ended. Otherwise `rest` runs it to its end, on an executor that keeps the cause, and never
/// throws. `failure_of` returns its failure.
bool begin_command(const command_ptr& asked, asio::awaitable<void>& rest);
/// The failure of a command that has ended; null on success.
[[nodiscard]] std::exception_ptr failure_of(command& asked);

/// A new command.
template <class R, class... Args, class... Given>
[[nodiscard]] call_ptr<command_for<R>> make_command(std::shared_ptr<service_core> in,
                                                    std::string called, Given&&... given) {
  using made = typed_command<R, Args...>;
  return {typename call_ptr<command_for<R>>::adopt{},
          new made(std::move(in), std::move(called), std::forward<Given>(given)...)};
}

/// Puts a command into the service's mailbox, and waits for space if the options say so.
asio::awaitable<receipt> send_command(command_ptr asked);
/// The command for a schedule; its cause is its own.
[[nodiscard]] exec::shared_message scheduled_command(command_ptr asked);
receipt post_command(command_ptr asked);
receipt send_blocking_command(command_ptr asked, std::chrono::steady_clock::duration timeout);

/// One operation of a service, with its only handler.
class operation_entry : public routing::named_entry {
 public:
  using named_entry::named_entry;

  [[nodiscard]] std::string describe() const override { return "operation '" + name + "'"; }

  [[nodiscard]] virtual component::operation_facts facts() const noexcept = 0;
  /// Its policy; null: it asks for nothing.
  [[nodiscard]] virtual const stored_policy* policy_of() const noexcept = 0;

  /// As `call_handler`, for a command.
  virtual step_taken run(command& asked, asio::awaitable<void>* start) = 0;

 protected:
  [[noreturn]] static void throw_bad_count(const std::string& operation, std::size_t wanted,
                                           std::string_view types,
                                           std::span<const component::argument> given);
};

/// As `start_handler`, for a command: its handler's message is the command.
step_taken start_operation(const handler_call& handler, const handler_in_hand& which,
                           command& asked, asio::awaitable<void>* start);

}  // namespace msgbus::async::detail
