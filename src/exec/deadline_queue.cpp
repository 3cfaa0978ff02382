#include <msgbus/detail/exec/deadline_queue.hpp>

namespace msgbus::exec {

void deadline_queue::put(entry& one, std::size_t index) noexcept {
  heap_[index] = &one;
  one.place_ = index + 1;
}

// Puts it at the index, or further up: later ones move down instead.
void deadline_queue::rise(entry& one, std::size_t index) noexcept {
  while (index != 0) {
    const std::size_t above = (index - 1) / 2;
    if (heap_[above]->at_ <= one.at_) break;
    put(*heap_[above], index);
    index = above;
  }
  put(one, index);
}

// Puts it at the index, or further down: earlier ones move up instead.
void deadline_queue::sink(entry& one, std::size_t index) noexcept {
  for (;;) {
    std::size_t below = 2 * index + 1;
    if (below >= heap_.size()) break;
    if (below + 1 < heap_.size() && heap_[below + 1]->at_ < heap_[below]->at_) ++below;
    if (one.at_ <= heap_[below]->at_) break;
    put(*heap_[below], index);
    index = below;
  }
  put(one, index);
}

void deadline_queue::add(entry& added, time_point at) {
  heap_.push_back(&added);
  added.at_ = at;
  rise(added, heap_.size() - 1);
}

void deadline_queue::remove(entry& removed) noexcept {
  if (!removed.is_queued()) return;
  const std::size_t index = removed.place_ - 1;
  removed.place_ = 0;
  entry& last = *heap_.back();
  heap_.pop_back();
  if (&last == &removed) return;
  if (last.at_ < removed.at_) {
    rise(last, index);
  } else {
    sink(last, index);
  }
}

deadline_queue::entry* deadline_queue::pop_due(time_point now) noexcept {
  entry* const due = first();
  if (due == nullptr || due->at_ > now) return nullptr;
  remove(*due);
  return due;
}

}  // namespace msgbus::exec
