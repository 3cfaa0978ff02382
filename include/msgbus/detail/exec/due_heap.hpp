#pragma once

/// The heap of a `due_queue`: times, earliest first. For one thread at a time.

#include <msgbus/detail/exec/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace msgbus::exec {

/// Asks for memory that will be read soon.
inline void prefetch([[maybe_unused]] const void* memory) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(memory);
#endif
}

/// A heap in which each entry has four others below it, which share one cache line: to take the
/// earliest of a million touches ten lines.
class due_heap {
 public:
  struct entry {
    clock::time_point due;
    std::uint32_t number;  // the order of equal times
    std::uint32_t slot;    // of its owner

    [[nodiscard]] bool is_before(const entry& other) const noexcept {
      return due != other.due ? due < other.due : number < other.number;
    }
  };

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The number of entries that it has memory for.
  [[nodiscard]] std::size_t capacity() const noexcept {
    const std::size_t places = 4 * lines_.size();
    return places < root ? 0 : places - root;
  }

  /// Throws `std::bad_alloc`, and has then changed nothing.
  void reserve(std::size_t entries) { lines_.resize((entries + root + 3) / 4); }

  /// The earliest entry of a heap that is not empty.
  [[nodiscard]] const entry& first() const noexcept { return at(root); }
  /// The earliest one behind the first; null if there is none.
  [[nodiscard]] const entry* second() const noexcept;
  /// Adds an entry, for which there is memory.
  void push(const entry& added) noexcept;
  void pop() noexcept;
  /// Removes the earliest entry, and keeps its memory.
  void clear() noexcept { size_ = 0; }

  /// All entries, in no order.
  template <class Look>
  void for_each(Look look) const {
    for (std::size_t i = 0; i < size_; ++i) look(at(root + i));
  }

  /// Calls `change` with each entry, which it may change, and removes those for which it returns
  /// false.
  template <class Change>
  void rebuild(Change change) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      entry each = at(root + i);
      if (change(each)) at(root + kept++) = each;
    }
    size_ = 0;
    while (size_ < kept) push(entry(at(root + size_)));
  }

 private:
  // The first entry is the last of its line, so that those below each share one.
  static constexpr std::size_t root = 3;
  [[nodiscard]] static constexpr std::size_t above(std::size_t i) noexcept { return i / 4 + 2; }
  [[nodiscard]] static constexpr std::size_t below(std::size_t i) noexcept { return 4 * (i - 2); }

  struct alignas(4 * sizeof(entry)) line {
    entry four[4];
  };
  [[nodiscard]] entry& at(std::size_t i) noexcept { return lines_[i / 4].four[i % 4]; }
  [[nodiscard]] const entry& at(std::size_t i) const noexcept { return lines_[i / 4].four[i % 4]; }
  [[nodiscard]] std::size_t end() const noexcept { return root + size_; }

  std::vector<line> lines_;
  std::size_t size_ = 0;
};

}  // namespace msgbus::exec
