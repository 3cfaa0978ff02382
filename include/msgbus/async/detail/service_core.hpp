#pragma once

/// The part of a service that operations and calls share.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/component/argument.hpp>
#include <msgbus/core/cause.hpp>
#include <msgbus/policy/held_policy.hpp>
#include <msgbus/routing/name_table.hpp>

#include <array>
#include <span>
#include <string>
#include <tuple>

namespace msgbus::async::detail {

class operation_entry;
class service_core;

/// One call of an operation, its types erased. It owns what the handler refers to, since that may
/// run elsewhere (A12).
struct command {
  command(std::shared_ptr<service_core> in, std::string called);
  virtual ~command() = default;
  command(const command&) = delete;
  command& operator=(const command&) = delete;

  [[nodiscard]] virtual std::span<const component::argument> arguments() const noexcept = 0;
  [[nodiscard]] virtual component::result_ref result() noexcept = 0;

  /// It came from elsewhere, with this. Before it is run or put into a mailbox.
  void comes_with(shared_origin with) noexcept {
    origin = std::move(with);
    known = context({}, *origin);
  }

  const std::shared_ptr<service_core> service;
  const std::string name;
  shared_origin origin;  // its own, or that of what led to it; or null
  msgbus::context known;
  std::shared_ptr<routing::entry> only = nullptr;  // of an `operation`: no other entry will do
  delivery d;
};

// What an argument is kept as: itself, unless it is a variable that the operation may change.
template <class A>
using kept_argument = std::conditional_t<std::is_lvalue_reference_v<A> &&
                                             !std::is_const_v<std::remove_reference_t<A>>,
                                         A, std::decay_t<A>>;

template <class R, class... Args>
struct typed_command final : command {
  template <class... Given>
  typed_command(std::shared_ptr<service_core> in, std::string called, Given&&... given)
      : command(std::move(in), std::move(called)),
        arguments_(std::forward<Given>(given)...),
        erased_(std::apply(
            [](auto&... each) {
              return std::array<component::argument, sizeof...(Args)>{
                  component::argument::of<Args&&>(each)...};
            },
            arguments_)) {}

  std::span<const component::argument> arguments() const noexcept override { return erased_; }
  component::result_ref result() noexcept override { return component::result_ref::to(result_); }
  R take() { return result_.take(); }

 private:
  std::tuple<Args...> arguments_;
  std::array<component::argument, sizeof...(Args)> erased_;
  di::result_of<R> result_;
};

/// A command that nobody waits for, in the mailbox.
class carried_command final : public exec::carried {
 public:
  explicit carried_command(std::shared_ptr<command>&& asked) noexcept
      : command_(std::move(asked)) {}
  [[nodiscard]] value_ref message() const noexcept override { return command_->d.message; }
  [[nodiscard]] const shared_origin* origin() const noexcept override { return &command_->origin; }
  [[nodiscard]] std::shared_ptr<carried> share() override;
  [[nodiscard]] std::shared_ptr<command>& asked() noexcept { return command_; }

 private:
  std::shared_ptr<command> command_;
};

/// A command on its way into the mailbox.
class outgoing_command {
 public:
  explicit outgoing_command(std::shared_ptr<command>& asked) noexcept : asked_(asked) {}
  void prepare(bool for_slot);
  void put(void* place) noexcept;
  [[nodiscard]] exec::owned_message& boxed() noexcept { return boxed_; }
  [[nodiscard]] value_ref message() const noexcept;
  [[nodiscard]] std::string_view topic() const noexcept { return {}; }

 private:
  std::shared_ptr<command>& asked_;
  exec::owned_message boxed_;
};

class service_core final : public routing::name_table, public core {
 public:
  service_core(const asio::any_io_executor& executor, const mailbox_options& options,
               std::shared_ptr<provider> overrides);
  ~service_core() override;

  [[nodiscard]] static std::shared_ptr<service_core> make(const asio::any_io_executor& executor,
                                                          const mailbox_options& options,
                                                          std::shared_ptr<provider> overrides);

  /// Finds the operation and runs it, if it need not be awaited. Throws `no_handler` and whatever
  /// is wrong with the arguments.
  bool advance(delivery& d) override;
  void close() noexcept;  // for the end of the component
  void close_to_new() noexcept { core::close(); }

  [[nodiscard]] std::shared_ptr<core> self() noexcept override {
    return std::static_pointer_cast<service_core>(shared_from_this());
  }
  [[nodiscard]] const char* kind() const noexcept override { return "the service"; }

 private:
  bool handle(exec::carried& message, asio::awaitable<void>& rest) override;
  [[noreturn]] void throw_no_handler(const command& asked);
};

/// Runs the command on the service's executor and throws what fails.
asio::awaitable<void> run_command(std::shared_ptr<command> asked);

template <class R, class... Args>
asio::awaitable<R> call_command(std::shared_ptr<typed_command<R, Args...>> asked) {
  co_await run_command(asked);
  co_return asked->take();
}

/// Puts a command into the service's mailbox, waiting for room where that says so.
asio::awaitable<receipt> send_command(std::shared_ptr<command> asked);
receipt post_command(std::shared_ptr<command> asked);

/// One operation of a service, with its one handler.
class operation_entry : public routing::named_entry {
 public:
  using named_entry::named_entry;

  [[nodiscard]] std::string describe() const override { return "operation '" + name + "'"; }

  /// As `call_handler`, for a command.
  virtual step_taken run(const std::shared_ptr<command>& asked, asio::awaitable<void>* start) = 0;

 protected:
  [[noreturn]] static void throw_bad_count(const std::string& operation, std::size_t wanted,
                                           std::string_view types,
                                           std::span<const component::argument> given);
};

/// A handler that needs nothing but its arguments and the context, as `bare_handler`.
struct bare_operation {
  void* f;
  asio::awaitable<void> (*call)(void* f, const std::shared_ptr<command>& asked, bool may_move,
                                const context& known);
  // Of a plain function: the same without a coroutine; else null.
  void (*call_at_once)(void* f, command& asked, bool may_move, const context& known);
};

/// What runs it, as often and where its policy says.
asio::awaitable<void> start_bare(bare_operation what, operation_entry& entry,
                                 const held_policy& how, const std::shared_ptr<command>& asked);

}  // namespace msgbus::async::detail
