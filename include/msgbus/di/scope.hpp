#pragma once

/// One handler invocation as the dependencies see it: what was resolved, what failed.

#include <msgbus/core/failures.hpp>
#include <msgbus/core/function_ref.hpp>
#include <msgbus/di/dependency.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace msgbus::di {

class provider_state;
class scope;

/// Runs what comes after a dependency, with a pointer to its value.
using continuation = function_ref<void(void* value)>;

/// Who wants things injected, for errors.
struct asker {
  const void* who;
  std::string (*describe)(const void* who);
};

struct dependency_info;

/// A dependency that another one needs.
struct want {
  const void* identity;
  const dependency_info* info;
};

/// Keeps what a plain dependency gave.
class held {
 public:
  virtual ~held() = default;
  [[nodiscard]] virtual void* value() noexcept = 0;
};

/// How a dependency or an implementation is called when what it needs is known, for those who
/// resolve step by step: the async family.
struct recipe {
  using erased = void (*)();

  shape kind = shape::required;
  std::span<const want> (*needs)() = nullptr;
  /// Of a plain one: gets its value, given pointers to what it needs. `entity` may be null for what
  /// is known when compiling.
  std::unique_ptr<held> (*make)(void* entity, void* const* needed) = nullptr;
  erased (*async_call)() = nullptr;  // of an async one: gives what exec/ casts back
};

/// What is known of a dependency when its type is erased.
struct dependency_info {
  std::string (*name)();
  std::string_view type;
  void (*provide)(scope&, const dependency_info&, continuation);  // null for a required<T>
  di::recipe recipe = {};
};

/// Throws `misused_dependency`: an async one is wanted where nothing can be awaited.
[[noreturn]] void throw_async(const dependency_info& info);

/// Whether getting one of these takes an async dependency or implementation. Under a guard of the
/// overrides.
[[nodiscard]] bool any_async(const provider_state& overrides, std::span<const want> needs) noexcept;

/// Lives on the stack of one invocation, on one thread. Dependencies are resolved on demand, each
/// once (I1), and each by a call that runs all the rest, so that they are released in reverse
/// order however the rest ends (I2).
class scope {
 public:
  scope(const provider_state& overrides, asker who) noexcept : overrides_(overrides), who_(who) {}
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  /// Runs `rest` with the dependency's value: the one resolved before, or its override's, or its
  /// default's. Throws `not_provided`, or `misused_dependency` for a cycle (I5).
  void provide(const void* identity, const dependency_info& info, continuation rest);

  /// Runs all of an invocation and notes what comes out of it.
  template <class Body>
  void run(Body body) {
    try {
      body();
    } catch (...) {
      failed_.add_new(std::current_exception());
    }
  }

  void failed(const std::exception_ptr& exception) { failed_.add_new(exception); }

  /// What failed: the handler first, then the clean-ups, from the inside out (I3).
  [[nodiscard]] failures& failed() noexcept { return failed_; }

 private:
  // The dependencies resolved or being resolved, innermost first: each on its caller's stack.
  struct resolution {
    const void* identity;
    const dependency_info& info;
    void* value;  // null while it is being resolved
    const resolution* outer;
  };

  [[noreturn]] void throw_cycle(const resolution& start) const;
  [[noreturn]] void throw_not_provided(const dependency_info& info) const;

  const provider_state& overrides_;
  asker who_;
  const resolution* innermost_ = nullptr;
  failures failed_;
};

}  // namespace msgbus::di
