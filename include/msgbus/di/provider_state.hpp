#pragma once

/// The overrides of a provider: dependency -> implementation, read without locks.

#include <msgbus/core/hash.hpp>
#include <msgbus/di/scope.hpp>
#include <msgbus/snapshot/guard.hpp>
#include <msgbus/snapshot/table.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace msgbus::di {

class implementation;

/// The values of a list of dependencies, as far as they are resolved.
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

/// How an implementation that cleans nothing up is called where everything it needs is resolved.
struct direct_call {
  /// Returns a pointer to the value. A value that somebody has to keep is made in `place`, which
  /// has room for one of the type that the replaced dependency gives. Null for other
  /// implementations.
  void* (*get)(implementation& self, resolved_values all, void* place) = nullptr;
  std::span<const dependency_info* const> needs = {};
};

/// What replaces a dependency. Called from any thread, by several at once. Who suspends while it
/// uses one shares it.
class implementation : public std::enable_shared_from_this<implementation> {
 public:
  implementation(const direct_call& directly, const di::recipe& how) noexcept
      : direct(directly), recipe(how) {}
  virtual ~implementation() = default;

  const direct_call direct;
  const di::recipe recipe;

  /// The callable itself, for `recipe`.
  [[nodiscard]] virtual void* entity() noexcept = 0;

  /// Runs `rest` with a value of the type that the replaced dependency gives.
  virtual void provide(scope& in, const dependency_info& replaced, continuation rest) = 0;
};

/// Thread-safe. Readers hold a guard of `guarded()` for the whole invocation, since the values
/// that an implementation gives may live in it.
class provider_state {
 public:
  provider_state();
  provider_state(const provider_state&) = delete;
  provider_state& operator=(const provider_state&) = delete;
  ~provider_state();

  [[nodiscard]] const snapshot::domain& guarded() const noexcept { return domain_; }

  /// Whether nothing at all is overridden: the usual case, which needs no guard.
  [[nodiscard]] bool empty() const noexcept { return size_.load(std::memory_order_acquire) == 0; }

  /// For readers, under a guard. Null if the dependency is not overridden.
  [[nodiscard]] implementation* find(const void* identity) const noexcept {
    const node* found = nodes_.find(identity, hash_of_address(identity));
    return found ? found->current.load(std::memory_order_acquire) : nullptr;
  }

  /// Whether an async implementation is there; seldom so.
  [[nodiscard]] bool has_async() const noexcept {
    return async_.load(std::memory_order_acquire) != 0;
  }

  /// Puts an implementation over what is there. A lasting one replaces the last lasting one. `name`
  /// is the dependency's own, where it has one.
  std::uint64_t add(const void* identity, std::shared_ptr<implementation> added, bool lasting,
                    const char* name = nullptr);

  /// For the error of a dependency that is not provided: says so if another one of that name is,
  /// which shared libraries make of one that they hide. Else empty.
  [[nodiscard]] std::string namesake_of(const dependency_info& missing) const;

  /// Takes out all implementations, or the one with that ticket, if it is still there. Waits until
  /// no invocation uses them, unless it is called from inside a handler.
  void remove(const void* identity) noexcept;
  void remove(const void* identity, std::uint64_t ticket) noexcept;

 private:
  struct layer {
    std::shared_ptr<implementation> what;
    std::uint64_t ticket;
    bool lasting;
  };

  // As many as the program has dependencies, so a node stays when its last override goes.
  struct node {
    explicit node(const void* of) noexcept;
    ~node();
    [[nodiscard]] bool is(const void* other) const noexcept { return identity == other; }
    const void* const identity;
    const std::size_t hash;
    std::atomic<implementation*> current{nullptr};  // the top layer
    std::vector<layer> layers;                      // under the lock, as is the next
    std::string name;                               // empty for functions
  };

  template <class Which>
  void remove_if(const void* identity, Which which) noexcept;

  snapshot::domain domain_;
  mutable std::mutex writing_;
  mutable snapshot::table<node, false> nodes_;
  std::atomic<std::size_t> size_{0};   // how many layers there are
  std::atomic<std::size_t> async_{0};  // how many of them are async
  std::uint64_t last_ticket_ = 0;
  snapshot::trash old_;
};

}  // namespace msgbus::di
