#pragma once

/// One handler invocation as the dependencies see it: what was resolved, what failed.

#include <msgbus/core/failures.hpp>
#include <msgbus/core/function_ref.hpp>

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

/// What is known of a dependency when its type is erased.
struct dependency_info {
  std::string (*name)();
  std::string_view type;
  void (*provide)(scope&, const dependency_info&, continuation);  // null for a required<T>
};

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
