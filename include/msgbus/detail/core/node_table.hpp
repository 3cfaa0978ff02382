#pragma once

/// A hash table whose links are its nodes.

#include <msgbus/detail/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace msgbus::detail {

/// The part of a node that its table uses.
template <class Node>
class table_node {
 public:
  /// `hash` is well mixed: its lowest bits choose the bucket.
  explicit table_node(std::size_t hash = 0) noexcept : hash_(hash) {}

  [[nodiscard]] std::size_t hash() const noexcept { return hash_; }

 protected:
  ~table_node() = default;
  /// For a node that is in no table.
  void set_hash(std::size_t hash) noexcept { hash_ = hash; }

 private:
  template <class>
  friend class node_table;
  std::size_t hash_;
  Node* in_bucket_ = nullptr;
};

/// The user of the table owns the nodes. No operation fails: the buckets are its only memory, and
/// with fewer of them it is merely slower. For one thread at a time.
template <class Node>
class node_table {
 public:
  node_table() = default;
  node_table(const node_table&) = delete;
  node_table& operator=(const node_table&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// The node with this hash for which `is` returns true; null if there is none.
  template <class Is>
  [[nodiscard]] Node* find(std::size_t hash, Is&& is) const {
    Node* each = buckets_ ? buckets_[hash & mask_] : single_;
    while (each && !(link(*each).hash_ == hash && is(std::as_const(*each)))) {
      each = link(*each).in_bucket_;
    }
    return each;
  }

  // Nodes lie anywhere in memory, so to look at one costs more than all else. Few share a bucket,
  // and growing, which looks at all, is rare.
  void insert(Node& added) noexcept {
    ++size_;
    if (size_ > 1 && 2 * size_ > mask_ + 1) resize(std::max(4 * (mask_ + 1), fewest_buckets));
    put(added);
  }

  void erase(Node& gone) noexcept {
    *place_of(gone) = link(gone).in_bucket_;
    --size_;
    if (mask_ + 1 > fewest_buckets && size_ < (mask_ + 1) / 32) {
      resize(std::max((mask_ + 1) / 4, fewest_buckets));
    }
  }

  /// Removes all nodes, and calls `drop` with each, which it may destroy.
  template <class Drop>
  void clear(Drop&& drop) noexcept {
    const auto drop_all = [&drop](Node*& first) {
      while (first) drop(*std::exchange(first, link(*first).in_bucket_));
    };
    drop_all(single_);
    for (std::size_t i = 0; buckets_ && i <= mask_; ++i) drop_all(buckets_[i]);
    size_ = 0;
  }

  /// Asks for the memory that an `erase` of this node will read first.
  void prefetch([[maybe_unused]] const Node& there) const noexcept {
#if defined(__GNUC__)
    if (buckets_) __builtin_prefetch(static_cast<const void*>(&buckets_[there.hash() & mask_]));
#endif
  }

  /// `by` has the same hash, and is in no table.
  void replace(Node& gone, Node& by) noexcept {
    link(by).in_bucket_ = link(gone).in_bucket_;
    *place_of(gone) = &by;
  }

 private:
  static constexpr std::size_t fewest_buckets = 16;

  [[nodiscard]] static table_node<Node>& link(Node& of) noexcept { return of; }

  [[nodiscard]] Node*& bucket_of(std::size_t hash) noexcept {
    return buckets_ ? buckets_[hash & mask_] : single_;
  }
  void put(Node& added) noexcept {
    Node*& bucket = bucket_of(link(added).hash_);
    link(added).in_bucket_ = bucket;
    bucket = &added;
  }
  [[nodiscard]] Node** place_of(Node& there) noexcept {
    Node** at = &bucket_of(link(there).hash_);
    while (*at != &there) at = &link(**at).in_bucket_;
    return at;
  }
  void resize(std::size_t buckets) noexcept {
    std::unique_ptr<Node*[]> made(new (std::nothrow) Node*[buckets]());
    if (!made) return;
    const std::size_t old = buckets_ ? mask_ + 1 : 0;
    const std::unique_ptr<Node*[]> before = std::exchange(buckets_, std::move(made));
    mask_ = buckets - 1;
    const auto put_all = [this](Node* each) {
      while (each) put(*std::exchange(each, link(*each).in_bucket_));
    };
    put_all(std::exchange(single_, nullptr));
    for (std::size_t i = 0; i < old; ++i) put_all(before[i]);
  }

  std::unique_ptr<Node*[]> buckets_;  // null: there is one
  std::size_t mask_ = 0;
  Node* single_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace msgbus::detail
