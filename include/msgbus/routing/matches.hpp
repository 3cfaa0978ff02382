#pragma once

/// The handlers that one topic was found to have, from several routes.

#include <msgbus/routing/entry.hpp>

#include <array>
#include <vector>

namespace msgbus::routing {

/// Lists of items, each in order of registration, taken together in that order. A list's size is
/// taken when it is added, so handlers that are added later are not among them (D4).
class matches {
 public:
  void add(const item_list* list) {
    if (!list) return;
    const std::size_t size = list->size();
    if (size == 0) return;
    const run added{list->begin(), list->begin() + size};
    if (count_ < few_.size()) {
      few_[count_] = added;
    } else {
      if (count_ == few_.size()) many_.assign(few_.begin(), few_.end());
      many_.push_back(added);
    }
    ++count_;
  }

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  /// Calls `f(const item&)` for each entry, in order of registration, once (T8). Call it once.
  template <class F>
  void for_each(F f) {
    run* runs = count_ <= few_.size() ? few_.data() : many_.data();
    if (count_ == 1) {
      for (const item* at = runs->next; at != runs->end; ++at) f(*at);
      return;
    }
    while (const item* next = take_lowest(runs)) f(*next);
  }

 private:
  struct run {
    const item* next;
    const item* end;
  };

  const item* take_lowest(run* runs) const noexcept {
    const item* lowest = nullptr;
    for (std::size_t i = 0; i < count_; ++i) {
      if (runs[i].next == runs[i].end) continue;
      if (!lowest || runs[i].next->entry->order() < lowest->entry->order()) lowest = runs[i].next;
    }
    if (!lowest) return nullptr;
    for (std::size_t i = 0; i < count_; ++i) {  // the same handler may be in several lists
      if (runs[i].next != runs[i].end && runs[i].next->entry == lowest->entry) ++runs[i].next;
    }
    return lowest;
  }

  std::size_t count_ = 0;
  std::array<run, 8> few_;  // enough for most; only the first `count_` are set
  std::vector<run> many_;   // all of them, when they are more
};

}  // namespace msgbus::routing
