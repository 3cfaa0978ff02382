#include <msgbus/detail/routing/merged_handlers.hpp>

namespace msgbus::routing {

// Does not initialise the array, whose first `count_` elements alone are read.
merged_handlers::merged_handlers() noexcept {}  // NOLINT(modernize-use-equals-default)

merged_handlers::~merged_handlers() = default;

void merged_handlers::add(const route_entries& list) {
  const std::size_t size = list.size();
  if (size == 0) return;
  const route_entry* const first = list.begin();
  if (count_ < few_.size()) {
    few_[count_] = {first, first + size};
  } else {
    if (count_ == few_.size()) many_.assign(few_.begin(), few_.end());
    many_.push_back({first, first + size});
  }
  ++count_;
}

const route_entry* merged_handlers::take_lowest(run* runs) const noexcept {
  const route_entry* lowest = nullptr;
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

}  // namespace msgbus::routing
