#pragma once

/// The handlers of one topic, from several routes.

#include <msgbus/routing/entry.hpp>

#include <array>
#include <vector>

namespace msgbus::routing {

/// Several lists, each in the order of attachment, merged in that order. The size of a list is read
/// when it is added, so later handlers are not included (D4).
class matches {
 public:
  matches() noexcept;
  ~matches();
  matches(const matches&) = delete;
  matches& operator=(const matches&) = delete;

  void add(const item_list* list) {
    if (list) add(*list);
  }

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  /// Calls `f(const item&)` for each entry, in the order of attachment, once (T8). Call it once.
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
  void add(const item_list& list);

  struct run {
    const item* next;
    const item* end;
  };

  const item* take_lowest(run* runs) const noexcept;

  std::size_t count_ = 0;
  std::array<run, 8> few_;  // enough for most; only the first `count_` are set
  std::vector<run> many_;   // all of them, when they are more
};

}  // namespace msgbus::routing
