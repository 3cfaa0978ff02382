#pragma once

/// The handlers of one topic, from several routes.

#include <msgbus/detail/routing/entry.hpp>

#include <array>
#include <vector>

namespace msgbus::routing {

/// Several lists, each in the order of attachment, merged in that order. The size of a list is read
/// when it is added, so later handlers are not included (D4).
class merged_handlers {
 public:
  merged_handlers() noexcept;
  ~merged_handlers();
  merged_handlers(const merged_handlers&) = delete;
  merged_handlers& operator=(const merged_handlers&) = delete;

  void add(const route_entries* list) {
    if (list) add(*list);
  }

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

  /// Calls `f(const route_entry&)` once for each entry, in the order of attachment (T8). Call it
  /// once.
  template <class F>
  void for_each(F f) {
    run* runs = count_ <= few_.size() ? few_.data() : many_.data();
    if (count_ == 1) {
      for (const route_entry* at = runs->next; at != runs->end; ++at) f(*at);
      return;
    }
    while (const route_entry* next = take_lowest(runs)) f(*next);
  }

 private:
  void add(const route_entries& list);

  struct run {
    const route_entry* next;
    const route_entry* end;
  };

  const route_entry* take_lowest(run* runs) const noexcept;

  std::size_t count_ = 0;
  std::array<run, 8> few_;  // enough for most topics; only the first `count_` are set
  std::vector<run> many_;   // all of them, if there are more
};

}  // namespace msgbus::routing
