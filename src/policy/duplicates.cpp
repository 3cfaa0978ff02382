#include <msgbus/detail/policy/duplicates.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/core/hash.hpp>

#include <memory>

namespace msgbus::detail {

void duplicates::line::add(entry& added) noexcept {
  added.before_ = last;
  added.behind_ = nullptr;
  (last ? last->behind_ : first) = &added;
  last = &added;
  ++size;
}

void duplicates::line::remove(entry& removed) noexcept {
  (removed.before_ ? removed.before_->behind_ : first) = removed.behind_;
  (removed.behind_ ? removed.behind_->before_ : last) = removed.before_;
  --size;
}

void duplicates::line::destroy_all() noexcept {
  while (first) {
    const std::unique_ptr<entry> gone(first);
    first = first->behind_;
  }
}

duplicates::~duplicates() {
  for (line* const each : {&in_flight_, &handled_, &unused_}) each->destroy_all();
}

duplicates::answer duplicates::begin(std::string_view key, time_point now) {
  // Senders may choose keys. The library's hash does not prevent many keys in one bucket; a longer
  // chain is slower, and has no other effect.
  const std::size_t hash = hash_of(key);
  if (entry* const found = find(key, hash)) {
    if (found->in_flight_) return {seen::in_flight, nullptr};
    if (!is_over(*found, now)) return {seen::handled, nullptr};
    handled_.remove(*found);
    keep_memory(*found);
  }
  if (!unused_.first) drop_old(now);
  if (!unused_.first) unused_.add(*std::make_unique<entry>().release());
  entry& added = *unused_.first;
  added.key_.assign(key);  // may throw
  added.set_hash(hash);
  added.in_flight_ = true;
  unused_.remove(added);
  in_flight_.add(added);
  keys_.insert(added);
  return {seen::never, &added};
}

void duplicates::handled(entry& begun, time_point now) noexcept {
  begun.in_flight_ = false;
  begun.at_ = now;
  in_flight_.remove(begun);
  handled_.add(begun);
  drop_old(now);
}

void duplicates::forget(entry& begun) noexcept {
  in_flight_.remove(begun);
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

void duplicates::drop_old(time_point now) noexcept {
  while (handled_.first) {
    entry& oldest = *handled_.first;
    if (handled_.size <= capacity_ && !is_over(oldest, now)) return;
    handled_.remove(oldest);
    keep_memory(oldest);
  }
}

void duplicates::keep_memory(entry& of) noexcept {
  keys_.erase(of);
  if (unused_.size < most_unused) return unused_.add(of);
  const std::unique_ptr<entry> gone(&of);
}

}  // namespace msgbus::detail
