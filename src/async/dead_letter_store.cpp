#include "async/dead_letter_store.hpp"

#include <msgbus/error.hpp>

#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace msgbus::async::detail {

dead_letter_store::dead_letter_store(dead_letter_options options) : options_(std::move(options)) {
  if (options_.on_full == overflow::suspend) {
    throw error(errc::unsupported,
                "dead letters cannot wait for space, which only a person makes; choose "
                "drop_oldest, drop_newest or reject");
  }
}

dead_letter_store::letters::iterator dead_letter_store::oldest_that_rests() noexcept {
  return std::find_if(letters_.begin(), letters_.end(),
                      [](const auto& each) { return !each.second.replaying; });
}

void dead_letter_store::add(kept_letter added) {
  letters::node_type dropped;  // destroyed without the lock
  dead_letter entry;
  {
    const std::lock_guard lock(mutex_);
    ++counts_.added;
    if (letters_.size() >= options_.capacity) {
      ++counts_.dropped;
      const auto oldest = oldest_that_rests();
      if (options_.on_full != overflow::drop_oldest || oldest == letters_.end()) return;
      dropped = letters_.extract(oldest);
    }
    added.entry.id = ++next_id_;
    if (options_.on_add) entry = added.entry;
    letters_.emplace(added.entry.id, std::move(added));
  }
  if (!options_.on_add) return;
  try {
    options_.on_add(entry);
  } catch (...) {
    msgbus::detail::say_thrown_by("dead_letter_options::on_add");
  }
}

std::vector<dead_letter> dead_letter_store::snapshot() const {
  std::vector<dead_letter> all;
  const std::lock_guard lock(mutex_);
  all.reserve(letters_.size());
  for (const auto& [id, each] : letters_) all.push_back(each.entry);
  return all;
}

std::size_t dead_letter_store::size() const {
  const std::lock_guard lock(mutex_);
  return letters_.size();
}

dead_letter_counters dead_letter_store::stats() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::optional<dead_letter_store::kept_letter> dead_letter_store::begin_replay(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = letters_.find(id);
  if (found == letters_.end() || found->second.replaying) return std::nullopt;
  std::optional<kept_letter> given(found->second);
  found->second.replaying = true;
  return given;
}

void dead_letter_store::end_replay(std::uint64_t id, bool has_gone) noexcept {
  letters::node_type gone;
  const std::lock_guard lock(mutex_);
  const auto found = letters_.find(id);
  if (found == letters_.end()) return;
  found->second.replaying = false;
  if (!has_gone) return;
  ++counts_.replayed;
  gone = letters_.extract(found);
}

bool dead_letter_store::discard(std::uint64_t id) noexcept {
  letters::node_type gone;
  const std::lock_guard lock(mutex_);
  const auto found = letters_.find(id);
  if (found == letters_.end() || found->second.replaying) return false;
  ++counts_.discarded;
  gone = letters_.extract(found);
  return true;
}

dead_letter_store::view dead_letter_store::look(std::size_t most) const {
  view made;
  std::vector<std::shared_ptr<component_core>> held;  // released without the lock
  const std::lock_guard lock(mutex_);
  made.kept = letters_.size();
  made.counts = counts_;
  made.newest.reserve(std::min(most, letters_.size()));
  for (auto each = letters_.rbegin(); each != letters_.rend(); ++each) {
    const kept_letter& letter = each->second;
    const std::shared_ptr<component_core> of = letter.component.lock();
    if (of && made.by_component[of.get()]++ == 0) held.push_back(of);
    if (made.newest.size() >= most) continue;
    listed_letter listed{letter.entry};
    listed.has_component = of != nullptr;
    if (of) listed.component = of->called().name();
    listed.replaying = letter.replaying;
    made.newest.push_back(std::move(listed));
  }
  return made;
}

dead_letter_store::view letter_access::look(const dead_letters& at, std::size_t most) {
  return at.store_->look(most);
}

void letter_access::add(dead_letters& to, const handler_run& run, std::size_t attempts,
                        const failures& failed) {
  dead_letter_store::kept_letter added;
  added.entry.message = run.message_name;
  added.entry.handler = run.handler.get()->describe();
  added.entry.reason = describe(failed[0]);
  added.entry.attempts = attempts;
  added.entry.at = std::chrono::system_clock::now();
  added.entry.topic = run.ctx.topic();
  added.entry.message_id = run.ctx.message_id();
  added.message = std::const_pointer_cast<exec::queued_message>(
      std::static_pointer_cast<const exec::queued_message>(run.message));
  added.component = run.component;
  added.handler = run.handler.get()->order();
  to.store_->add(std::move(added));
}

}  // namespace msgbus::async::detail
