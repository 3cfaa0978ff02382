#pragma once

/// A hash table with reads without locks.

#include <msgbus/detail/routing/retire_list.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>

namespace msgbus::routing {

/// Finds nodes by hash and key. A `Node` has `std::size_t hash` and `bool is(Key) const`, which is
/// called for equal hashes. The table refers to nodes and owns none.
///
/// Readers call `find` under a guard, on any thread. Writers hold their own lock, and pass the
/// retire list that they get to `retire`. A table that never erases is read slightly faster.
template <class Node, bool Erases = true>
class table {
 public:
  table() = default;
  table(const table&) = delete;
  table& operator=(const table&) = delete;
  ~table() { (void)owned(cells_.load(std::memory_order_relaxed)); }

  template <class Key>
  [[nodiscard]] Node* find(Key key, std::size_t hash) const noexcept {
    const cells* const all = cells_.load(std::memory_order_acquire);
    const std::size_t first = hash & all->mask;
    Node* const node = all->at()[first].load(std::memory_order_acquire);
    if (!node) return nullptr;
    if (is_node(node) && node->hash == hash && node->is(key)) [[likely]]
      return node;
    return find_after(all, first, key, hash);
  }

  /// For readers: whether there was never a node, so that the hash need not be computed.
  [[nodiscard]] bool never_filled() const noexcept {
    return cells_.load(std::memory_order_acquire) == &none.head;
  }

  /// The node must not be present.
  void insert(Node& node, retire_list& old) {
    cells* all = cells_.load(std::memory_order_relaxed);
    if ((all->used + 1) * 2 > all->mask + 1) all = rebuild(old);
    insert(*all, node);
    ++size_;
  }

  /// The node must be present. Readers may use it until `retire` has returned.
  void erase(Node& node) noexcept
    requires Erases
  {
    cells* all = cells_.load(std::memory_order_relaxed);
    std::size_t i = node.hash & all->mask;
    while (all->at()[i].load(std::memory_order_relaxed) != &node) i = (i + 1) & all->mask;
    all->at()[i].store(erased(), std::memory_order_release);
    --size_;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }  // for writers

  /// For writers; `f` may erase the node it is given.
  template <class F>
  void for_each(F f) {
    cells* all = cells_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i <= all->mask; ++i) {
      Node* node = all->at()[i].load(std::memory_order_relaxed);
      if (node && node != erased()) f(*node);
    }
  }

 private:
  // Each cell goes from empty to a node to `erased`, and is not reused: a full table is rebuilt
  // elsewhere. The cells follow the header in one block.
  struct cells {
    constexpr explicit cells(std::size_t capacity) noexcept : mask(capacity - 1) {}
    static std::unique_ptr<cells> make(std::size_t capacity) {
      void* const block = ::operator new(sizeof(cells) + capacity * sizeof(std::atomic<Node*>));
      std::unique_ptr<cells> made(new (block) cells(capacity));
      for (std::size_t i = 0; i < capacity; ++i) new (made->at() + i) std::atomic<Node*>(nullptr);
      return made;
    }
    static void operator delete(void* block) { ::operator delete(block); }

    std::atomic<Node*>* at() noexcept { return reinterpret_cast<std::atomic<Node*>*>(this + 1); }
    const std::atomic<Node*>* at() const noexcept {
      return reinterpret_cast<const std::atomic<Node*>*>(this + 1);
    }

    const std::size_t mask;
    std::size_t used = 0;  // nodes and erased nodes
  };

  static bool is_node(const Node* node) noexcept {
    if constexpr (Erases) return node != erased();
    return true;
  }

  // Not inlined into `find`, whose first comparison mostly finds the node.
  template <class Key>
  [[gnu::noinline]] static Node* find_after(const cells* all, std::size_t at, Key key,
                                            std::size_t hash) noexcept {
    for (;;) {
      at = (at + 1) & all->mask;
      Node* const node = all->at()[at].load(std::memory_order_acquire);
      if (!node) return nullptr;
      if (is_node(node) && node->hash == hash && node->is(key)) return node;
    }
  }

  // The initial state of every table: one cell, which stays empty.
  struct no_cells {
    cells head{1};
    std::atomic<Node*> cell{nullptr};
  };
  static constinit inline no_cells none{};

  // The cells, unless they are `none`, which the table does not own.
  static std::unique_ptr<cells> owned(cells* all) noexcept {
    return std::unique_ptr<cells>(all == &none.head ? nullptr : all);
  }

  static Node* erased() noexcept {
    alignas(Node) static constinit char mark[1] = {};
    return reinterpret_cast<Node*>(mark);
  }

  static void insert(cells& all, Node& node) noexcept {
    std::size_t i = node.hash & all.mask;
    while (all.at()[i].load(std::memory_order_relaxed)) i = (i + 1) & all.mask;
    all.at()[i].store(&node, std::memory_order_release);
    ++all.used;
  }

  cells* rebuild(retire_list& old) {
    std::size_t capacity = 4;
    while (capacity < (size_ + 1) * 3) capacity *= 2;
    auto made = cells::make(capacity);
    for_each([&](Node& node) { insert(*made, node); });
    old.add(owned(cells_.exchange(made.get(), std::memory_order_acq_rel)));
    return made.release();
  }

  std::atomic<cells*> cells_{&none.head};
  std::size_t size_ = 0;
};

}  // namespace msgbus::routing
