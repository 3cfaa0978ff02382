#pragma once

/// The letters of one `dead_letters`, of either family.

#include <msgbus/dead_letter.hpp>

#include "core/text.hpp"
#include "policy/checks.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace msgbus::detail {

/// `Content` is what a family needs to replay a letter. Thread-safe. States of a letter: kept ->
/// replaying -> gone, or kept again.
template <class Content>
class letter_store {
 public:
  struct kept_letter {
    dead_letter entry;
    Content content;
    bool replaying = false;
  };

  /// Throws as `check`.
  explicit letter_store(dead_letter_options options) : options_(std::move(options)) {
    check(options_);
  }

  void add(kept_letter added) {
    typename letters::node_type dropped;  // destroyed without the lock
    dead_letter entry;
    {
      const std::lock_guard lock(mutex_);
      ++counts_.added;
      // A letter that is being replayed makes space, or comes back (P8).
      if (letters_.size() - replaying_ >= options_.capacity) {
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
      say_thrown_by("dead_letter_options::on_add");
    }
  }

  [[nodiscard]] std::vector<dead_letter> snapshot() const {
    std::vector<dead_letter> all;
    const std::lock_guard lock(mutex_);
    all.reserve(letters_.size());
    for (const auto& [id, each] : letters_) all.push_back(each.entry);
    return all;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return letters_.size();
  }
  [[nodiscard]] dead_letter_counters stats() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

  /// The letters that `which` is true for; empty: all. The oldest first.
  [[nodiscard]] std::vector<std::uint64_t> matching(
      const std::function<bool(const dead_letter&)>& which) const {
    std::vector<std::uint64_t> ids;
    for (const dead_letter& each : snapshot()) {
      if (!which || which(each)) ids.push_back(each.id);
    }
    return ids;
  }

  /// The letter, for whoever replays it; nothing if it has gone, or somebody else replays it.
  [[nodiscard]] std::optional<kept_letter> begin_replay(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = letters_.find(id);
    if (found == letters_.end() || found->second.replaying) return std::nullopt;
    std::optional<kept_letter> given(found->second);
    found->second.replaying = true;
    ++replaying_;
    return given;
  }
  void end_replay(std::uint64_t id, bool has_gone) noexcept {
    typename letters::node_type gone;
    const std::lock_guard lock(mutex_);
    const auto found = letters_.find(id);
    if (found == letters_.end()) return;
    found->second.replaying = false;
    --replaying_;
    if (!has_gone) return;
    ++counts_.replayed;
    gone = letters_.extract(found);
  }

  /// How many it has removed. One that is being replayed stays.
  std::size_t discard(const std::function<bool(const dead_letter&)>& which) {
    std::size_t gone = 0;
    for (const std::uint64_t id : matching(which)) gone += discard(id) ? 1 : 0;
    return gone;
  }

 protected:
  using letters = std::map<std::uint64_t, kept_letter>;

  /// Calls `look` with all letters, the oldest first, and their counters, while it holds the lock.
  template <class Look>
  void look_at_all(const Look& look) const {
    const std::lock_guard lock(mutex_);
    look(letters_, counts_);
  }

 private:
  bool discard(std::uint64_t id) noexcept {
    typename letters::node_type gone;
    const std::lock_guard lock(mutex_);
    const auto found = letters_.find(id);
    if (found == letters_.end() || found->second.replaying) return false;
    ++counts_.discarded;
    gone = letters_.extract(found);
    return true;
  }
  [[nodiscard]] typename letters::iterator oldest_that_rests() noexcept {
    return std::find_if(letters_.begin(), letters_.end(),
                        [](const auto& each) { return !each.second.replaying; });
  }

  const dead_letter_options options_;
  mutable std::mutex mutex_;
  letters letters_;
  std::size_t replaying_ = 0;
  std::uint64_t next_id_ = 0;
  dead_letter_counters counts_;
};

}  // namespace msgbus::detail
