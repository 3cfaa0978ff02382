#pragma once

/// The overrides of a provider: dependency -> implementation, read without locks.

#include <msgbus/detail/component/scope.hpp>
#include <msgbus/detail/core/hash.hpp>
#include <msgbus/detail/routing/guard.hpp>
#include <msgbus/detail/routing/table.hpp>
#include <msgbus/registered_at.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus {
class error;
}  // namespace msgbus

namespace msgbus::component {

class implementation;

/// The resolved values of a list of dependencies.
struct resolved_values {
  const dependency_info* const* of;
  void* const* at;

  /// The value of a dependency that is in the list.
  [[nodiscard]] void* of_listed(const dependency_info& wanted) const noexcept {
    std::size_t i = 0;
    while (of[i] != &wanted) ++i;
    return at[i];
  }
};

/// The direct call of an implementation without clean-up, once its dependencies are resolved.
struct direct_call {
  /// Returns a pointer to the value. A value that needs storage is constructed in `storage`, which
  /// has space for the type of the replaced dependency. Null for other implementations.
  void* (*get)(implementation& self, resolved_values all, void* storage) = nullptr;
  std::span<const dependency_info* const> needs = {};
};

/// The implementation of an override. Several threads call it at once. A caller that suspends
/// shares its ownership.
class implementation : public std::enable_shared_from_this<implementation> {
 public:
  implementation(const direct_call& directly, const component::factory& source) noexcept
      : direct(directly), factory(source) {}
  virtual ~implementation() = default;

  const direct_call direct;
  const component::factory factory;

  /// The callable itself, for `factory`.
  [[nodiscard]] virtual void* entity() noexcept = 0;

  /// Runs `rest` with a value of the type of the replaced dependency.
  virtual void provide(scope& in, const dependency_info& replaced, continuation rest) = 0;
};

/// Thread-safe. Readers hold a guard of `guarded()` for the whole invocation, since values may be
/// inside the implementation.
class provider_state {
 public:
  provider_state();
  provider_state(const provider_state&) = delete;
  provider_state& operator=(const provider_state&) = delete;
  ~provider_state();

  [[nodiscard]] const routing::domain& guarded() const noexcept { return domain_; }

  /// Whether there is no override: the usual case, and its check needs no guard.
  [[nodiscard]] bool empty() const noexcept { return size_.load(std::memory_order_acquire) == 0; }

  /// For readers, under a guard. Null if the dependency is not overridden.
  [[nodiscard]] implementation* find(const void* identity) const noexcept {
    const node* found = nodes_.find(identity, hash_of_address(identity));
    return found ? found->current.load(std::memory_order_acquire) : nullptr;
  }

  /// Whether an async implementation exists; rare.
  [[nodiscard]] bool has_async() const noexcept {
    return async_.load(std::memory_order_acquire) != 0;
  }

  /// The facts about an implementation, given when it is added.
  struct addition {
    bool lasting;
    std::string_view type;  // of the callable; exists as long as that
    registered_at line;
  };

  /// Adds an implementation on top. A lasting implementation replaces the previous lasting one.
  /// `name` is the dependency's name, or null.
  std::uint64_t add(const void* identity, std::shared_ptr<implementation> added, const addition& as,
                    const char* name = nullptr);

  /// The implementation that is used for a dependency.
  struct description {
    std::string type;
    registered_at line;
    std::span<const dependency_ref> (*needs)();
  };
  /// Empty if the dependency is not overridden.
  [[nodiscard]] std::optional<description> describe(const void* identity) const;

  /// The remedy for a dependency that is not provided, for its error. Mentions an override of
  /// another dependency with the same name: shared libraries with hidden visibility duplicate
  /// dependencies.
  [[nodiscard]] std::string namesake_of(const dependency_info& missing) const;

  /// Removes all implementations, or the one with that ticket if it is present. Outside of
  /// handlers, waits until no invocation uses them.
  void remove(const void* identity) noexcept;
  void remove(const void* identity, std::uint64_t ticket) noexcept;

 private:
  struct layer {
    std::shared_ptr<implementation> replacement;
    std::uint64_t ticket;
    addition as;
  };

  // A program has a bounded number of dependencies, so a node remains after its last override.
  struct node {
    explicit node(const void* of) noexcept;
    ~node();
    [[nodiscard]] bool is(const void* other) const noexcept { return identity == other; }
    const void* const identity;
    const std::size_t hash;
    std::atomic<implementation*> current{nullptr};  // the top layer
    std::vector<layer> layers;                      // under the lock, as is `name`
    std::string name;                               // empty for functions
  };

  template <class Which>
  void remove_if(const void* identity, Which which) noexcept;

  routing::domain domain_;
  mutable std::mutex writing_;
  mutable routing::table<node, false> nodes_;
  std::atomic<std::size_t> size_{0};   // the number of layers
  std::atomic<std::size_t> async_{0};  // the number of async layers
  std::uint64_t last_ticket_ = 0;
  routing::retire_list old_;
};

// The errors about misused dependencies: the same texts in both families.

/// `path`: the names from a dependency back to itself.
[[nodiscard]] error cycle(const std::string& path, const requester& requested_by);

/// For a `required` dependency without an override. `needed_by` is the dependency that needs it;
/// null if the requester itself does.
[[nodiscard]] error not_provided(const dependency_info& wanted, const dependency_info* needed_by,
                                 const requester& requested_by, const provider_state& overrides);

[[nodiscard]] error yielded_twice(const dependency_info& by);
[[nodiscard]] error never_yielded(const dependency_info& by);

/// For a handler with `policy::once`.
[[nodiscard]] error once_without_keeper(std::string_view once, const requester& requested_by);

}  // namespace msgbus::component
