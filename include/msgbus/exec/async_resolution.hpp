#pragma once

/// One handler invocation that may suspend, as its dependencies see it. What di/scope.hpp is for
/// invocations on one stack.

#include <msgbus/core/failures.hpp>
#include <msgbus/core/function_ref.hpp>
#include <msgbus/di/provider_state.hpp>
#include <msgbus/di/resolve.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace msgbus::exec {

class async_resolution;

/// Runs what comes after the dependencies, with pointers to their values. An empty awaitable says
/// that it has ended already.
using async_rest = function_ref<asio::awaitable<void>(void* const* needed)>;

/// One call of an async dependency with clean-up; see di::yielding.
class async_yielding {
 public:
  /// A pointer to what is yielded is put into `value`, and what follows begins with step `next`.
  async_yielding(async_resolution& in, const di::dependency_info& info, void*& value,
                 std::size_t next = 0) noexcept
      : scope_(in), info_(info), value_(value), next_(next) {}

  /// Awaits the rest with the value; throws what it throws.
  asio::awaitable<void> run(void* value);

  /// To be called when the dependency has returned. Throws if it did not yield.
  void ended() const;

  /// How a pointer to what is yielded becomes one to what is wanted.
  void* (*as_wanted)(void* value) = nullptr;

 private:
  asio::awaitable<void> run_again();

  async_resolution& scope_;
  const di::dependency_info& info_;
  void*& value_;
  const std::size_t next_;
  bool yielded_ = false;
};

/// Lives in a coroutine's frame. For one coroutine at a time, on whatever thread it runs.
///
/// First it plans: which dependencies are resolved, each once (I1), in which order and by what, is
/// known before the first one is called (I4). Then one coroutine calls one after the other, and at
/// last the rest. A dependency that cleans up is awaited by it, and its `yield` runs such a
/// coroutine again for all that follows; so they are released in reverse order, however the rest
/// ends (I2).
class async_resolution {
 public:
  async_resolution(const di::provider_state& overrides, di::asker who) noexcept
      : overrides_(overrides), who_(who) {}
  async_resolution(const async_resolution&) = delete;
  async_resolution& operator=(const async_resolution&) = delete;

  /// Plans how these are resolved. `rest` must be there until all has ended. Once.
  void begin(std::span<const di::want> needs, async_rest rest);

  /// Resolves what was planned, one after the other, and then awaits the rest. What fails is noted
  /// and not thrown.
  asio::awaitable<void> run() { return run_from(0, false); }

  void failed(const std::exception_ptr& exception) { failed_.add_new(exception); }

  /// What failed: the handler first, then the clean-ups, from the inside out (I3).
  [[nodiscard]] failures& failed() noexcept { return failed_; }

 private:
  friend class async_yielding;

  /// A dependency whose needs come before it.
  struct step {
    const void* identity;
    const di::dependency_info* info;
    const di::recipe* recipe;
    std::shared_ptr<di::implementation> override;  // if it is not the default
    std::unique_ptr<di::held> held = nullptr;      // its value, if that is kept here
    void* value = nullptr;

    [[nodiscard]] void* entity() const noexcept { return override ? override->entity() : nullptr; }
  };
  /// A dependency whose needs are being planned, and what needs it.
  struct planned {
    const void* identity;
    const di::dependency_info& info;
    const planned* outer;
  };
  class pointers;

  [[nodiscard]] bool plan(std::span<const di::want> needs, const planned* outer);
  [[nodiscard]] bool plan(di::want wanted, const planned* outer);
  [[nodiscard]] std::exception_ptr cycle(const planned& start, const planned* from) const;
  [[nodiscard]] std::exception_ptr not_provided(const planned& wanted) const;
  [[nodiscard]] std::exception_ptr cannot_wait(const planned& wanted) const;

  asio::awaitable<void> run_from(std::size_t at, bool is_yielded);
  [[nodiscard]] asio::awaitable<void> start_next(std::size_t& at, pointers& needed,
                                                 std::optional<async_yielding>& yielding);
  [[nodiscard]] bool next_ended(std::size_t& at, const std::optional<async_yielding>& yielding);
  [[nodiscard]] void** find_values(std::span<const di::want> needs, pointers& needed) const;
  void release_from(std::size_t at) noexcept;

  const di::provider_state& overrides_;
  di::asker who_;
  std::vector<step> steps_;
  std::exception_ptr impossible_;  // why what comes after the steps cannot be resolved
  std::span<const di::want> needs_;
  std::optional<async_rest> rest_;
  failures failed_;
};

/// How an async entity is called, its type erased: one that gives a value, which is put into `to`,
/// and one that yields it.
using async_call = asio::awaitable<void> (*)(void* entity, void* const* needed,
                                             std::unique_ptr<di::held>& to);
using async_yielding_call = asio::awaitable<void> (*)(void* entity, void* const* needed,
                                                      async_yielding& yielding);

}  // namespace msgbus::exec
