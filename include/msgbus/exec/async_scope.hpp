#pragma once

/// One handler invocation that may suspend, as its dependencies see it. What di/scope.hpp is for
/// invocations on one stack.

#include <msgbus/core/failures.hpp>
#include <msgbus/core/function_ref.hpp>
#include <msgbus/di/provider_state.hpp>
#include <msgbus/di/resolve.hpp>

#include <asio/awaitable.hpp>

#include <memory>
#include <vector>

namespace msgbus::exec {

/// Runs what comes after a dependency, with a pointer to its value.
using async_rest = function_ref<asio::awaitable<void>(void* value)>;

/// Lives in a coroutine's frame. For one coroutine at a time, on whatever thread it runs.
/// Dependencies are resolved on demand, each once (I1), and each by a coroutine that awaits all
/// the rest, so that they are released in reverse order however the rest ends (I2).
class async_scope {
 public:
  async_scope(const di::provider_state& overrides, di::asker who) noexcept
      : overrides_(overrides), who_(who) {}
  async_scope(const async_scope&) = delete;
  async_scope& operator=(const async_scope&) = delete;

  /// Resolves these, one after the other, and then awaits `rest` with what `needed` has got.
  asio::awaitable<void> provide_all(std::span<const di::want> needs, std::vector<void*>& needed,
                                    function_ref<asio::awaitable<void>()> rest);

  void failed(const std::exception_ptr& exception) { failed_.add_new(exception); }

  /// What failed: the handler first, then the clean-ups, from the inside out (I3).
  [[nodiscard]] failures& failed() noexcept { return failed_; }

 private:
  struct resolution {
    const void* identity;
    const di::dependency_info& info;
    void* value;  // null while it is being resolved
    const resolution* outer;
  };
  struct source;

  asio::awaitable<void> provide_from(std::span<const di::want> needs, std::size_t index,
                                     std::vector<void*>& needed,
                                     function_ref<asio::awaitable<void>()> rest);
  asio::awaitable<void> provide(di::want wanted, async_rest rest);
  asio::awaitable<void> call(const source& from, const di::dependency_info& info,
                             std::vector<void*>& needed, async_rest rest);
  [[nodiscard]] source find(di::want wanted) const;
  [[noreturn]] void throw_cycle(const resolution& start) const;
  [[noreturn]] void throw_not_provided(const di::dependency_info& info) const;

  const di::provider_state& overrides_;
  di::asker who_;
  const resolution* innermost_ = nullptr;
  failures failed_;
};

/// How an async entity is called, its type erased.
using async_call = asio::awaitable<void> (*)(void* entity, void* const* needed, async_scope& in,
                                             const di::dependency_info& info, async_rest rest);

/// One call of an async dependency with clean-up; see di::yielding.
class async_yielding {
 public:
  async_yielding(async_scope& in, const di::dependency_info& info, async_rest rest) noexcept
      : scope_(in), info_(info), rest_(rest) {}

  /// Awaits the rest with the value; throws what it throws.
  asio::awaitable<void> run(void* value);

  /// To be called when the dependency has returned. Throws if it did not yield.
  void ended() const;

 private:
  async_scope& scope_;
  const di::dependency_info& info_;
  async_rest rest_;
  bool yielded_ = false;
};

}  // namespace msgbus::exec
