#include <msgbus/detail/exec/due_heap.hpp>

#include <algorithm>

namespace msgbus::exec {

const due_heap::entry* due_heap::second() const noexcept {
  const std::size_t last = std::min(below(root) + 4, end());
  const entry* earliest = nullptr;
  for (std::size_t i = below(root); i < last; ++i) {
    if (!earliest || at(i).is_before(*earliest)) earliest = &at(i);
  }
  return earliest;
}

void due_heap::push(const entry& added) noexcept {
  std::size_t i = end();
  ++size_;
  for (; i != root; i = above(i)) {
    const entry& higher = at(above(i));
    if (!added.is_before(higher)) break;
    at(i) = higher;
  }
  at(i) = added;
}

void due_heap::pop() noexcept {
  const entry last = at(end() - 1);
  --size_;
  // The earliest one below moves up until nothing is below; the last one goes there, and up as far
  // as it must, which is seldom far.
  std::size_t hole = root;
  std::size_t i = below(hole);
  for (; i + 3 < end(); i = below(hole)) {
    const entry* const four = lines_[i / 4].four;
    // One of these is looked at next, and a large heap is not in the cache.
    if (below(i) / 4 + 3 < lines_.size()) {
      for (std::size_t next = 0; next < 4; ++next) prefetch(&lines_[below(i) / 4 + next]);
    }
    const std::size_t left = four[1].is_before(four[0]) ? 1 : 0;
    const std::size_t right = four[3].is_before(four[2]) ? 3 : 2;
    const std::size_t earliest = four[right].is_before(four[left]) ? right : left;
    at(hole) = four[earliest];
    hole = i + earliest;
  }
  if (i < end()) {
    std::size_t earliest = i;
    for (std::size_t other = i + 1; other < end(); ++other) {
      if (at(other).is_before(at(earliest))) earliest = other;
    }
    at(hole) = at(earliest);
    hole = earliest;
  }
  for (; hole != root && last.is_before(at(above(hole))); hole = above(hole)) {
    at(hole) = at(above(hole));
  }
  if (size_ != 0) at(hole) = last;
}

}  // namespace msgbus::exec
