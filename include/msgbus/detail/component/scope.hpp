#pragma once

/// One handler invocation: its resolved dependencies and its failures.

#include <msgbus/detail/component/dependency.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/function_ref.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace msgbus::component {

class provider_state;
class scope;

/// Runs the rest of an invocation, with a pointer to the value of a dependency.
using continuation = function_ref<void(void* value)>;

/// The requester of injected values, for errors.
struct requester {
  const void* object;
  std::string (*describe)(const void* object);
};

struct dependency_info;

/// A reference to a dependency of another one.
struct dependency_ref {
  const void* identity;
  const dependency_info* info;
};

/// Stores the value of a plain dependency.
class value_holder {
 public:
  virtual ~value_holder() = default;
  [[nodiscard]] virtual void* value() noexcept = 0;
};

/// The call of a dependency or an implementation whose own dependencies are resolved, for
/// step-by-step resolution in the async family.
struct factory {
  using erased = void (*)();

  shape kind = shape::required;
  std::span<const dependency_ref> (*needs)() = nullptr;
  /// For a plain one: gets its value from pointers to its dependencies. `entity` is null if it is
  /// known at compile time.
  std::unique_ptr<value_holder> (*make)(void* entity, void* const* needed) = nullptr;
  erased (*async_call)() = nullptr;  // of an async one: exec/ casts it back to its type
};

/// The erased description of a dependency.
struct dependency_info {
  std::string (*name)();
  std::string_view type;
  void (*provide)(scope&, const dependency_info&, continuation);  // null for a required<T>
  component::factory factory = {};
};

/// Throws `misused_dependency`: a sync handler cannot await an async dependency.
[[noreturn]] void throw_async(const dependency_info& info);

/// Whether resolving these needs an async dependency or implementation. Under a guard of the
/// overrides.
[[nodiscard]] bool any_async(const provider_state& overrides,
                             std::span<const dependency_ref> needs) noexcept;

/// Resolves dependencies on demand, each once (I1). The call that resolves a dependency also runs
/// the whole rest, so the values are released in reverse order however the rest ends (I2). On the
/// stack of one invocation, for one thread.
class scope {
 public:
  scope(const provider_state& overrides, requester requested_by) noexcept
      : overrides_(overrides), requester_(requested_by) {}
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  /// Runs `rest` with the value of the dependency: the resolved value if there is one, otherwise
  /// the value of its override, or else of its default. Throws: `not_provided`;
  /// `misused_dependency` for a cycle (I5).
  void provide(const void* identity, const dependency_info& info, continuation rest);

  /// Runs the whole invocation and collects its exceptions.
  template <class Body>
  void run(Body body) {
    try {
      body();
    } catch (...) {
      failed_.add_new(std::current_exception());
    }
  }

  void failed(const std::exception_ptr& exception) { failed_.add_new(exception); }

  /// The exceptions: the handler's first, then those of the clean-ups, from the inside out (I3).
  [[nodiscard]] failures& failed() noexcept { return failed_; }

 private:
  // The dependencies that are resolved or being resolved, innermost first. Each is on the stack of
  // the function that resolves it.
  struct resolution {
    const void* identity;
    const dependency_info& info;
    void* value;  // null while it is being resolved
    const resolution* outer;
  };

  [[noreturn]] void throw_cycle(const resolution& start) const;
  [[noreturn]] void throw_not_provided(const dependency_info& info) const;

  const provider_state& overrides_;
  requester requester_;
  const resolution* innermost_ = nullptr;
  failures failed_;
};

}  // namespace msgbus::component
