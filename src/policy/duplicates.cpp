#include <msgbus/detail/policy/duplicates.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/core/hash.hpp>

#include <memory>
#include <utility>

namespace msgbus::detail {

duplicates::~duplicates() {
  keys_.clear([](entry& each) { const std::unique_ptr<entry> gone(&each); });
  while (spare_) const std::unique_ptr<entry> gone(std::exchange(spare_, spare_->behind_));
}

duplicates::answer duplicates::begin(std::string_view key, time_point now) {
  // Senders may choose keys. The library's hash does not prevent many keys in one bucket; a longer
  // chain is slower, and has no other effect.
  const std::size_t hash = hash_of(key);
  if (entry* const found = find(key, hash)) {
    if (found->in_flight_) return {seen::in_flight, nullptr};
    if (!is_over(*found, now)) return {seen::handled, nullptr};
    remove_handled(*found);
    forget(*found);
  }
  if (!spare_) drop_old(now);
  if (!spare_) keep_memory(*std::make_unique<entry>().release());
  entry& added = *spare_;
  added.key_.assign(key);  // may throw
  spare_ = added.behind_;
  --spares_;
  added.set_hash(hash);
  added.in_flight_ = true;
  keys_.insert(added);
  if (oldest_) keys_.prefetch(*oldest_);  // it may be dropped when this one is handled
  return {seen::never, &added};
}

void duplicates::handled(entry& begun, time_point now) noexcept {
  begun.in_flight_ = false;
  begun.at_ = now;
  add_handled(begun);
  drop_old(now);
}

void duplicates::forget(entry& begun) noexcept {
  keys_.erase(begun);
  keep_memory(begun);
}

bool duplicates::is_in_flight(std::string_view key) const noexcept {
  const entry* const found = find(key, hash_of(key));
  return found && found->in_flight_;
}

duplicates::entry* duplicates::find(std::string_view key, std::size_t hash) const noexcept {
  return keys_.find(hash, [key](const entry& each) { return is_same_text(each.key_, key); });
}

bool duplicates::is_over(const entry& of, time_point now) const noexcept {
  return saturating_sub(now, of.at_) >= window_;
}

void duplicates::add_handled(entry& added) noexcept {
  added.before_ = newest_;
  added.behind_ = nullptr;
  (newest_ ? newest_->behind_ : oldest_) = &added;
  newest_ = &added;
  ++handled_;
}

void duplicates::remove_handled(entry& removed) noexcept {
  (removed.before_ ? removed.before_->behind_ : oldest_) = removed.behind_;
  (removed.behind_ ? removed.behind_->before_ : newest_) = removed.before_;
  --handled_;
}

void duplicates::drop_old(time_point now) noexcept {
  while (oldest_ && (handled_ > capacity_ || is_over(*oldest_, now))) {
    entry& oldest = *oldest_;
    remove_handled(oldest);
    forget(oldest);
  }
}

// Of an entry that is in no table.
void duplicates::keep_memory(entry& of) noexcept {
  if (spares_ == most_spare) {
    const std::unique_ptr<entry> gone(&of);
    return;
  }
  of.behind_ = spare_;
  spare_ = &of;
  ++spares_;
}

}  // namespace msgbus::detail
