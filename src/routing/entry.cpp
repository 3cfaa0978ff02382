#include <msgbus/detail/routing/entry.hpp>

#include <msgbus/detail/routing/merged_handlers.hpp>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>

namespace msgbus::routing {

namespace {

constinit thread_local int releases = 0;

}  // namespace

entry::entry(std::uint64_t order, void (*plain_call)()) noexcept
    : order_(order), plain_(plain_call) {}

struct entry::callback {
  std::function<void()> notify;
  callback* next;
};

entry::callback* entry::all_notified() noexcept {
  static callback mark{};
  return &mark;
}

entry::~entry() {
  callback* left = to_notify_.load(std::memory_order_acquire);
  if (left == all_notified()) return;
  while (left) {
    const std::unique_ptr<callback> gone(left);
    left = gone->next;
  }
}

void entry::let_go(std::shared_ptr<entry> self) noexcept {
  kept_ = self;  // if there are pins, the last one releases
  unpin();
  let_go_.store(true, std::memory_order_release);
  let_go_.notify_all();
}

void entry::release() noexcept {
  const std::shared_ptr<entry> self = std::move(kept_);
  ++releases;
  destroy_callable();
  --releases;
  callback* last = to_notify_.exchange(all_notified(), std::memory_order_acq_rel);
  callback* first = nullptr;
  while (last) {
    callback* const before = std::exchange(last->next, first);
    first = std::exchange(last, before);
  }
  while (first) {
    const std::unique_ptr<callback> each(first);
    first = each->next;
    each->notify();
  }
}

void entry::when_released(std::function<void()> notify) {
  std::unique_ptr<callback> added(
      new callback{std::move(notify), to_notify_.load(std::memory_order_acquire)});
  do {
    if (added->next == all_notified()) return added->notify();
  } while (!to_notify_.compare_exchange_weak(added->next, added.get(), std::memory_order_acq_rel,
                                             std::memory_order_acquire));
  (void)added.release();
}

void entry::wait_until_let_go() const noexcept { let_go_.wait(false, std::memory_order_acquire); }

bool entry::releasing() noexcept { return releases != 0; }

std::unique_ptr<route_entries> route_entries::make(std::size_t capacity) {
  void* const block = ::operator new(sizeof(route_entries) + capacity * sizeof(route_entry));
  return std::unique_ptr<route_entries>(new (block) route_entries(capacity));
}

void route_entries::append(const route_entry* first, const route_entry* last) noexcept {
  auto* const to = const_cast<route_entry*>(end_.load(std::memory_order_relaxed));
  // Release: a reader that sees the end sees the entries.
  end_.store(std::uninitialized_copy(first, last, to), std::memory_order_release);
}

namespace {

std::unique_ptr<route_entries> with_capacity_for(std::size_t size) {
  return route_entries::make(std::max<std::size_t>(2, std::bit_ceil(size)));
}

}  // namespace

void route::replace(std::unique_ptr<route_entries> list, routing::retire_list& old) {
  std::unique_ptr<route_entries> before(
      entries_.exchange(list.release(), std::memory_order_acq_rel));
  old.add(std::move(before));
}

void route::add(route_entry added, routing::retire_list& old) {
  route_entries* list = entries_.load(std::memory_order_relaxed);
  if (list && list->size() < list->capacity()) {
    list->append(added);
  } else {
    auto larger = with_capacity_for((list ? list->size() : 0) + 1);
    if (list) larger->append(list->begin(), list->end());
    larger->append(added);
    replace(std::move(larger), old);
  }
}

void route::remove(const entry& removed, routing::retire_list& old) {
  const route_entries* list = entries_.load(std::memory_order_relaxed);
  const route_entry* const end = list->end();
  auto smaller = with_capacity_for(list->size());
  for (const route_entry* kept = list->begin(); kept != end;) {
    const route_entry* const out =
        std::find_if(kept, end, [&](const route_entry& each) { return each.entry == &removed; });
    smaller->append(kept, out);
    kept = out == end ? end : out + 1;
  }
  replace(std::move(smaller), old);
}

bool route::empty() const noexcept {
  const route_entries* list = entries_.load(std::memory_order_relaxed);
  return !list || list->size() == 0;
}

void quick_route::show_sole(bool may_be) noexcept {
  const route_entries& list = *entries();
  entry* const only = list.size() == 1 ? list.begin()->entry : nullptr;
  sole_.store(may_be && only && only->plain() ? only : nullptr, std::memory_order_release);
}

void quick_route::add(route_entry added, routing::retire_list& old, bool may_be_sole) {
  route::add(added, old);
  show_sole(may_be_sole);
}

void quick_route::remove(const entry& removed, routing::retire_list& old, bool may_be_sole) {
  route::remove(removed, old);
  show_sole(may_be_sole);
}

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
