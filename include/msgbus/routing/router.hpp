#pragma once

/// What every component does with its handlers, whatever the key: attach, detach, and stop.

#include <msgbus/core/function_ref.hpp>
#include <msgbus/routing/entry.hpp>
#include <msgbus/snapshot/guard.hpp>

#include <memory>
#include <mutex>
#include <type_traits>

namespace msgbus::routing {

/// The base of the tables of routes. Held by `shared_ptr`: subscriptions and bindings refer to it.
/// Every function may be called from any thread, also from inside handlers.
class router : public std::enable_shared_from_this<router> {
 public:
  router();
  virtual ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// What dispatches guard while they read routes and run handlers.
  [[nodiscard]] const snapshot::domain& guarded() const noexcept { return domain_; }

  /// What is attached from now on has this place in the order, or a later one.
  [[nodiscard]] std::uint64_t next_order() const noexcept {
    return next_order_.load(std::memory_order_acquire);
  }

  /// Takes the handler out and destroys its callable when no thread runs it, or when the last call
  /// that is suspended has ended. Waits for that,
  /// unless it is called from inside a handler (D6). Detaching twice only waits.
  static void detach(entry& detached) noexcept;

  /// The same, but never waits.
  static void detach_later(entry& detached) noexcept;

  /// Detaches all; for the end of the component. The router itself lives on while it is used.
  void close() noexcept;

 protected:
  using make_entry = function_ref<std::shared_ptr<entry>(std::uint64_t order)>;
  using link_entry = function_ref<void(entry& added, snapshot::trash& old)>;

  /// Attaches under the writers' lock. `link` puts the new entry into the routes and does not
  /// throw.
  std::shared_ptr<entry> attach(make_entry make, link_entry link);

  /// The kind of entry that `make(order)` gives a `shared_ptr` to.
  template <class Make>
  using made_by = typename std::invoke_result_t<Make&, std::uint64_t>::element_type;

  /// Takes the entry out of every route it is in. Called with the writers' lock held.
  virtual void unlink(entry& removed, snapshot::trash& old) noexcept = 0;

  /// Every handler is found through a list from here on, where its reader sees that it is detached.
  /// Called with the writers' lock held.
  virtual void hide_soles() noexcept {}

  std::mutex writing_;

 private:
  bool take_out(entry& detached, bool may_wait) noexcept;  // false if it was out already
  void own(std::shared_ptr<entry> made) noexcept;
  void unchain(entry& removed) noexcept;
  void keep_old(snapshot::trash old) noexcept;
  [[nodiscard]] snapshot::trash take_old() noexcept;

  snapshot::domain domain_;
  std::atomic<std::uint64_t> next_order_{1};  // written under the lock
  entry* last_ = nullptr;                     // of the list of attached entries
  // Unlinked by attaching: at most as much as what is linked, so it waits. Null before the first.
  std::unique_ptr<snapshot::trash> old_;
};

}  // namespace msgbus::routing
