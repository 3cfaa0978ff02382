#pragma once

/// One handler invocation that may suspend, with its dependencies. The counterpart of
/// detail/component/scope.hpp, which is for one stack.

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/component/resolve.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/function_ref.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::exec {

class async_resolution;

/// The reply of a command, kept as bytes.
struct kept_answer {
  std::string bytes;
  std::string content_type;
};

/// A handler that has its effect once for each message (`policy::once`), for the dependency that
/// keeps the ids.
class once_request {
 public:
  once_request(std::string_view name, std::string_view id) noexcept : handler(name), message(id) {}
  once_request(const once_request&) = delete;
  once_request& operator=(const once_request&) = delete;

  const std::string_view handler;  ///< its name
  const std::string_view message;  ///< its id

  /// Whether a dependency keeps the id in the transaction of the handler.
  bool is_kept = false;
  /// The id is present: neither the handler nor the dependencies inside the reporting one run.
  bool was_handled = false;

  /// The reply of the handler, which has ended; null: no reply is wanted. Throws the exceptions of
  /// its codec.
  [[nodiscard]] virtual const kept_answer* answer() { return nullptr; }
  /// The reply of the earlier run; empty: none was kept. Throws if one is wanted.
  virtual void answered_before(std::optional<kept_answer>) {}

 protected:
  ~once_request() = default;
};

/// Runs the code after the dependencies, with pointers to their values. An empty awaitable means
/// that it has already ended.
using async_rest = function_ref<asio::awaitable<void>(void* const* needed)>;

/// One call of an async dependency with clean-up; see component::yielding.
class async_yielding {
 public:
  /// `value` receives a pointer to the yielded value; the rest begins with step `next`.
  async_yielding(async_resolution& in, const component::dependency_info& info, void*& value,
                 std::size_t next = 0) noexcept
      : scope_(in), info_(info), value_(value), next_(next) {}

  /// Awaits the rest with the value; throws its exceptions.
  asio::awaitable<void> run(void* value);

  /// Called when the dependency has returned. Throws if it did not yield.
  void ended() const;

  /// The handler's `once_request`; null: it has none.
  [[nodiscard]] once_request* once() const noexcept;

  /// Converts a pointer to the yielded value to the required type.
  void* (*as_wanted)(void* value) = nullptr;

 private:
  asio::awaitable<void> run_again();

  async_resolution& scope_;
  const component::dependency_info& info_;
  void*& value_;
  const std::size_t next_;
  bool yielded_ = false;
};

/// In the frame of a coroutine. For one coroutine at a time, on any thread.
///
/// The first phase is a plan: before the first dependency is called, the plan has every dependency
/// once (I1), in order, with its override (I4). Then one coroutine calls them one after the other,
/// and finally the rest. A dependency that cleans up is awaited; its `yield` runs such a coroutine
/// for all later steps. So dependencies are released in reverse order, however the rest ends (I2).
class async_resolution {
 public:
  async_resolution(const component::provider_state& overrides, component::requester requested_by,
                   once_request* once = nullptr) noexcept
      : overrides_(overrides), requester_(requested_by), once_(once) {}
  async_resolution(const async_resolution&) = delete;
  async_resolution& operator=(const async_resolution&) = delete;

  /// Plans the resolution. `rest` must exist until everything has ended. Call it once.
  void begin(std::span<const component::dependency_ref> needs, async_rest rest);

  /// Executes the plan, and then awaits the rest. Exceptions are collected, not thrown.
  asio::awaitable<void> run() { return run_from(0, false); }

  void failed(const std::exception_ptr& exception) { failed_.add_new(exception); }

  /// The exceptions: the handler's first, then those of the clean-ups, from the inside out (I3).
  [[nodiscard]] failures& failed() noexcept { return failed_; }

 private:
  friend class async_yielding;

  /// A planned dependency, after its own dependencies.
  struct step {
    const void* identity;
    const component::dependency_info* info;
    const component::factory* factory;
    std::shared_ptr<component::implementation> override;      // if it is not the default
    std::unique_ptr<component::value_holder> held = nullptr;  // its value, if that is stored here
    void* value = nullptr;

    [[nodiscard]] void* entity() const noexcept { return override ? override->entity() : nullptr; }
  };
  /// A dependency that is being planned, and its requester.
  struct planned {
    const void* identity;
    const component::dependency_info& info;
    const planned* outer;
  };
  class pointers;

  [[nodiscard]] bool plan(std::span<const component::dependency_ref> needs, const planned* outer);
  [[nodiscard]] bool plan(component::dependency_ref wanted, const planned* outer);
  [[nodiscard]] std::exception_ptr cycle(const planned& start, const planned* from) const;
  [[nodiscard]] std::exception_ptr not_provided(const planned& wanted) const;
  [[nodiscard]] std::exception_ptr cannot_wait(const planned& wanted) const;

  asio::awaitable<void> run_from(std::size_t at, bool is_yielded);
  [[nodiscard]] asio::awaitable<void> start_next(std::size_t& at, pointers& needed,
                                                 std::optional<async_yielding>& yielding);
  [[nodiscard]] bool next_ended(std::size_t& at, const std::optional<async_yielding>& yielding);
  [[nodiscard]] void** find_values(std::span<const component::dependency_ref> needs,
                                   pointers& needed) const;
  void release_from(std::size_t at) noexcept;

  const component::provider_state& overrides_;
  component::requester requester_;
  once_request* const once_;
  std::vector<step> steps_;
  std::exception_ptr impossible_;  // the error of the dependency after the steps
  std::span<const component::dependency_ref> needs_;
  std::optional<async_rest> rest_;
  failures failed_;
};

/// The erased call of an async entity: one that returns a value, which is stored in `to`, and one
/// that yields it.
using async_call = asio::awaitable<void> (*)(void* entity, void* const* needed,
                                             std::unique_ptr<component::value_holder>& to);
using async_yielding_call = asio::awaitable<void> (*)(void* entity, void* const* needed,
                                                      async_yielding& yielding);

}  // namespace msgbus::exec
