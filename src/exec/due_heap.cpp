#include <msgbus/detail/exec/due_heap.hpp>

#include <algorithm>

namespace msgbus::exec {

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
  for (std::size_t i = below(hole); i < end(); i = below(hole)) {
#if defined(__GNUC__)
    // The next look is at one of these.
    for (std::size_t next = 0; next < 4 && below(i + next) < end(); ++next) {
      __builtin_prefetch(&at(below(i + next)));
    }
#endif
    std::size_t earliest = i;
    const std::size_t many = std::min<std::size_t>(4, end() - i);
    for (std::size_t other = i + 1; other < i + many; ++other) {
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
