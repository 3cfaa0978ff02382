#pragma once

/// One attached handler in the routing core, and the ordered handler lists of routes.

#include <msgbus/detail/routing/guard.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace msgbus::routing {

class router;

/// Owns a handler's callable from its attachment until no thread can run it.
///
/// States: attached (`active`) -> detached (not `active`, may still run) -> let go (no guarded call
/// runs it any more) -> released (the callable is destroyed). A dispatch reads `active` under its
/// guard, just before each call. A call that suspends outlives its guard; it pins the entry under
/// the guard. The last such pin releases the entry.
class entry {
 public:
  explicit entry(std::uint64_t order, void (*plain_call)() = nullptr) noexcept;
  virtual ~entry();
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;

  /// Names the handler in errors, such as `handler of order_placed`.
  [[nodiscard]] virtual std::string describe() const = 0;

  [[nodiscard]] bool active() const noexcept { return active_.load(std::memory_order_acquire); }

  /// The faster call, for a handler of one type that is the only handler of a message; null if
  /// there is none. A function pointer that the component's family casts back to its type.
  [[nodiscard]] auto plain() const noexcept -> void (*)() { return plain_; }

  /// The position in the order of attachment within its component (D1).
  [[nodiscard]] std::uint64_t order() const noexcept { return order_; }

  /// For a call that suspends; made under a guard. Keeps the callable and the entry alive.
  void pin() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  void unpin() noexcept {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) release();
  }

  /// Calls `notify` when the callable is destroyed: immediately if it is destroyed already,
  /// otherwise on the destroying thread. `notify` must not throw.
  void when_released(std::function<void()> notify);

 protected:
  virtual void destroy_callable() noexcept = 0;

  /// For constructors: this entry has no faster call.
  void hide_plain() noexcept { plain_ = nullptr; }

 private:
  friend class router;

  void let_go(std::shared_ptr<entry> self) noexcept;  // after the last guarded call
  void release() noexcept;
  void wait_until_let_go() const noexcept;
  static bool releasing() noexcept;  // this thread is destroying some callable

  std::atomic<bool> let_go_{false};
  std::atomic<std::uint32_t> uses_{1};  // one of the attachment, and one of each pin
  // The callbacks for the release, the latest first. States: null or a list -> `all_notified`.
  struct callback;
  static callback* all_notified() noexcept;
  std::atomic<callback*> to_notify_{nullptr};
  std::weak_ptr<router> owner_;  // set by `router::attach`, before other threads see the entry

  std::shared_ptr<entry> kept_;  // this entry, from `let_go` to `release`

  // The owner's list of attached entries, under its lock. `self_` keeps an attached entry alive.
  std::shared_ptr<entry> self_;
  entry* previous_ = nullptr;
  entry* next_ = nullptr;

  // Last, so beside the callable of derived classes: a call reads them together.
  const std::uint64_t order_;
  std::atomic<bool> active_{true};
  void (*plain_)();
};

/// Owns a pin.
class entry_pin {
 public:
  entry_pin() = default;
  explicit entry_pin(entry& held) noexcept : entry_(&held) { held.pin(); }
  entry_pin(entry_pin&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  entry_pin& operator=(entry_pin&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~entry_pin() {
    if (entry_) entry_->unpin();
  }

  [[nodiscard]] entry* get() const noexcept { return entry_; }
  explicit operator bool() const noexcept { return entry_ != nullptr; }

 private:
  entry* entry_ = nullptr;
};

/// An entry in a route, with its call there. `call` is a function pointer that the component's
/// family casts back to its type.
struct route_entry {
  void (*call)();
  routing::entry* entry;
};

/// The handlers of one route in the order of attachment. Appended in place and read without locks:
/// a reader sees the entries that were present when it read the end.
class route_entries {
 public:
  static std::unique_ptr<route_entries> make(std::size_t capacity);

  [[nodiscard]] const route_entry* begin() const noexcept {
    return reinterpret_cast<const route_entry*>(this + 1);
  }
  [[nodiscard]] const route_entry* end() const noexcept {
    return end_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(end() - begin());
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  // For writers; the capacity suffices.
  void append(const route_entry* first, const route_entry* last) noexcept;
  void append(const route_entry& added) noexcept { append(&added, &added + 1); }

  static void operator delete(void* block) { ::operator delete(block); }

 private:
  explicit route_entries(std::size_t capacity) noexcept : end_(begin()), capacity_(capacity) {}

  // The entries follow in the same block; `append` constructs them.
  std::atomic<const route_entry*> end_;
  const std::size_t capacity_;
};

/// A snapshot of a list: handlers that are attached later do not handle this message (D4).
struct handler_range {
  explicit handler_range(const route_entries* list) noexcept
      : begin(list ? list->begin() : nullptr), end(list ? list->end() : nullptr) {}
  const route_entry* begin;
  const route_entry* end;
};

/// The handlers of one key: a list that is replaced when a handler is removed.
class route {
 public:
  route() = default;
  route(const route&) = delete;
  route& operator=(const route&) = delete;
  ~route() { delete entries_.load(std::memory_order_relaxed); }

  /// For readers, under a guard. Null if there was never a handler.
  [[nodiscard]] const route_entries* entries() const noexcept {
    return entries_.load(std::memory_order_acquire);
  }

  // For writers.
  void add(route_entry added, routing::retire_list& old);
  void remove(const entry& removed, routing::retire_list& old);
  [[nodiscard]] bool empty() const noexcept;

 private:
  void replace(std::unique_ptr<route_entries> list, routing::retire_list& old);

  std::atomic<route_entries*> entries_{nullptr};
};

/// A route with fast access to its only handler, if that has a `plain` call.
class quick_route : public route {
 public:
  /// For readers, under a guard: the only handler, which is attached. Null if there are others, if
  /// it has no `plain` call, or after `hide_sole`.
  [[nodiscard]] entry* sole() const noexcept { return sole_.load(std::memory_order_acquire); }

  // For writers. Without `may_be_sole` all handlers are read from the list.
  void add(route_entry added, routing::retire_list& old, bool may_be_sole = true);
  void remove(const entry& removed, routing::retire_list& old, bool may_be_sole = true);
  void hide_sole() noexcept { sole_.store(nullptr, std::memory_order_release); }

 private:
  void show_sole(bool may_be) noexcept;

  std::atomic<entry*> sole_{nullptr};
};

}  // namespace msgbus::routing
