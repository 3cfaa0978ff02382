#pragma once

/// A list of coroutines that wait for a resource of its owner, in order of arrival.

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace msgbus::exec {

class wake_batch;

/// A list of waiting coroutines, guarded by the mutex of its owner. It allocates nothing: a node is
/// in the frame of its coroutine, whose handler it stores.
///
/// A node is outside -> queued -> woken -> outside. A woken node has left the list, and has a claim
/// on the resource. If its coroutine is cancelled, or destroyed with its context, before it has
/// taken the resource, the node wakes the next one: no wake is lost (A9, A12).
///
/// Members without an executor are called under the mutex, on any thread.
class wait_list {
 public:
  class node;

  explicit wait_list(std::mutex& guarded_by) noexcept : mutex_(guarded_by) {}
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;
  ~wait_list();

  /// Takes the resource and returns true; or returns false, and changes nothing. Called under the
  /// mutex. `woken`: this coroutine was woken since its last attempt.
  using attempt = bool (*)(void* owner, bool woken);

  /// Completes: when `take` has returned true, immediately or after a wake.
  /// Throws: `operation_aborted` with the name of the wait; the exceptions of `take`.
  /// Cancellation: ends the wait; nothing was taken.
  /// Executor: the caller's. The list, its mutex and the owner must outlive the wait.
  asio::awaitable<void> wait(attempt take, void* owner, const char* name);

  /// As above, with a time limit: true when it has taken, false when the time has passed.
  asio::awaitable<bool> wait_for(attempt take, void* owner, clock::duration at_most,
                                 const char* name);

  static constexpr std::size_t all = static_cast<std::size_t>(-1);

  /// Wakes up to this number of coroutines, those that have waited longest. The batch posts their
  /// handlers; the caller destroys it after unlocking.
  void wake(std::size_t many, wake_batch& batch) noexcept;

  /// The number of waiting coroutines that were not woken.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The number of woken coroutines that have neither taken the resource nor given it up.
  [[nodiscard]] std::size_t woken() const noexcept { return woken_; }

 private:
  friend class wake_batch;

  void insert(node& added) noexcept;
  void remove(node& removed) noexcept;

  std::mutex& mutex_;
  node* first_ = nullptr;
  node* last_ = nullptr;
  std::size_t size_ = 0;
  std::size_t woken_ = 0;
  std::uint64_t numbers_ = 0;
};

/// The node of one coroutine, in its frame. `wait_list::wait` is the usual way to use one. A wait
/// of another shape calls `try_or_join` and awaits `wait` alternately, until the former returns
/// true.
class wait_list::node final : public one_shot_event {
 public:
  explicit node(wait_list& in) noexcept : list_(in) {}
  ~node() override { leave(); }

  /// Calls `take`. If that returns false, joins the list at the place of the first time, so that no
  /// other coroutine overtakes a woken node that found nothing. Locks the mutex.
  [[nodiscard]] bool try_or_join(attempt take, void* owner);

  /// The coroutine waits no longer. Afterwards the node does not refer to the list.
  void leave() noexcept;

 private:
  friend class wait_list;
  friend class wake_batch;

  enum class membership { outside, queued, woken };

  wait_list& list_;
  node* previous_ = nullptr;
  node* next_ = nullptr;  // in the list, or in a batch
  std::uint64_t number_ = 0;
  membership membership_ = membership::outside;
  bool has_joined_ = false;  // for its own coroutine: the list may know this node
};

/// Woken nodes; the destructor posts their handlers. Declare it before the lock.
class wake_batch {
 public:
  wake_batch() = default;
  wake_batch(const wake_batch&) = delete;
  wake_batch& operator=(const wake_batch&) = delete;
  ~wake_batch();

 private:
  friend class wait_list;
  void add(wait_list::node& woken) noexcept;

  wait_list::node* first_ = nullptr;
  wait_list::node* last_ = nullptr;
};

}  // namespace msgbus::exec
