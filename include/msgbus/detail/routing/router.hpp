#pragma once

/// The base of all route tables, which attaches and detaches handlers; and the table of a producer
/// or publisher, a single route with the bound components in order.

#include <msgbus/detail/core/function_ref.hpp>
#include <msgbus/detail/routing/entry.hpp>
#include <msgbus/detail/routing/guard.hpp>

#include <memory>
#include <mutex>
#include <type_traits>

namespace msgbus::routing {

/// The base of the route tables. Held by `shared_ptr`: subscriptions and bindings refer to it.
/// Thread-safe, also inside handlers.
class router : public std::enable_shared_from_this<router> {
 public:
  router();
  virtual ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// The domain that dispatches guard while they read routes and run handlers.
  [[nodiscard]] const routing::domain& guarded() const noexcept { return domain_; }

  /// The position of the next attached handler, or a lower bound for it.
  [[nodiscard]] std::uint64_t next_order() const noexcept {
    return next_order_.load(std::memory_order_acquire);
  }

  /// Detaches the handler, and destroys its callable when no thread runs it and the last suspended
  /// call has ended. Waits for that, except inside handlers (D6). A second call only waits.
  static void detach(entry& detached) noexcept;

  /// As above, but never waits.
  static void detach_later(entry& detached) noexcept;

  /// Calls `f` for each attached entry, in the order of attachment, under the writers' lock: no
  /// entry is detached meanwhile. `f` must not call the router.
  void for_each_attached(function_ref<void(const entry&)> f) const;

  /// Detaches all handlers, at the end of the component. The router itself exists as long as it is
  /// in use.
  void shutdown() noexcept;

 protected:
  using make_entry = function_ref<std::shared_ptr<entry>(std::uint64_t order)>;
  using link_entry = function_ref<void(entry& added, routing::retire_list& old)>;

  /// Attaches under the writers' lock. `link` adds the new entry to the routes, and does not throw.
  std::shared_ptr<entry> attach(make_entry make, link_entry link);

  /// The entry type of the `shared_ptr` that `make(order)` returns.
  template <class Make>
  using made_by = typename std::invoke_result_t<Make&, std::uint64_t>::element_type;

  /// Removes the entry from all its routes. Called under the writers' lock.
  virtual void unlink(entry& removed, routing::retire_list& old) noexcept = 0;

  /// Later readers find every handler through a list, where they see that it is detached. Called
  /// under the writers' lock.
  virtual void hide_soles() noexcept {}

  mutable std::mutex writing_;

 private:
  bool take_out(entry& detached, bool may_wait) noexcept;  // false if it was already detached
  void own(std::shared_ptr<entry> made) noexcept;
  void unchain(entry& removed) noexcept;
  void keep_old(routing::retire_list old) noexcept;
  [[nodiscard]] routing::retire_list take_old() noexcept;

  routing::domain domain_;
  std::atomic<std::uint64_t> next_order_{1};  // written under the lock
  entry* last_ = nullptr;                     // of the list of attached entries
  // The objects that attaching has unlinked: retired with the next detached entry, since they take
  // no more memory than the linked ones. Null before the first.
  std::unique_ptr<routing::retire_list> old_;
};

class single_route : public router {
 public:
  /// For readers, under a guard.
  [[nodiscard]] const route_entries* entries() const noexcept { return bound_.entries(); }

  /// `make(order)` returns a `shared_ptr` to a kind of `entry`.
  template <class Make>
  auto attach(void (*call)(), Make make) {
    const auto link = [this, call](entry& added, routing::retire_list& old) {
      bound_.add({call, &added}, old);
    };
    return std::static_pointer_cast<made_by<Make>>(router::attach(make, link));
  }

 private:
  void unlink(entry& removed, routing::retire_list& old) noexcept override {
    bound_.remove(removed, old);
  }

  route bound_;
};

}  // namespace msgbus::routing
