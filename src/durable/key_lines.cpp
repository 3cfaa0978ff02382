#include "durable/key_lines.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace msgbus::durable::detail {

bool key_lines::add(exec::keyed_ptr key, entry& added) {
  const bool was_loaded = positions_.contains(added.seq);
  line_of_key& of = *lines_.try_emplace(std::move(key)).first;
  line& in = of.second;
  const bool must_wait = in.is_busy || !in.waits.empty();
  if (!was_loaded && (!in.positions.empty() || (must_wait && waiting_ >= most_))) {
    in.positions.push_back(added.seq);
    positions_.emplace(added.seq, &of);
    return false;
  }
  in.waits.push_back(std::move(added));
  ++waiting_;
  if (!must_wait) ready_.push_back(&of);
  if (was_loaded) remove_position(in.waits.back().seq);
  return true;
}

std::optional<key_lines::entry> key_lines::take() {
  if (ready_.empty()) return std::nullopt;
  line_of_key& of = *ready_.front();
  ready_.pop_front();
  line& in = of.second;
  entry first = std::move(in.waits.front());
  in.waits.pop_front();
  --waiting_;
  in.is_busy = true;
  on_their_way_.emplace(first.seq, &of);
  return first;
}

std::size_t key_lines::hash_of(std::int64_t seq) const {
  return on_their_way_.at(seq)->first->hash();
}

void key_lines::done(std::int64_t seq) {
  const auto found = on_their_way_.find(seq);
  if (found == on_their_way_.end()) return;
  line_of_key& of = *found->second;
  on_their_way_.erase(found);
  of.second.is_busy = false;
  next_of(of);
}

void key_lines::next_of(line_of_key& of) {
  line& in = of.second;
  if (in.is_busy) return;
  if (!in.waits.empty()) {
    ready_.push_back(&of);
  } else if (!in.positions.empty()) {
    if (!in.is_loading && !std::exchange(in.wants_load, true)) to_load_.push_back(&of);
  } else if (!in.wants_load) {
    lines_.erase(lines_.find(of.first));
  }
}

std::vector<std::int64_t> key_lines::begin_load(std::size_t most) {
  std::vector<std::int64_t> wanted;
  while (!to_load_.empty() && wanted.size() < most) {
    line_of_key& of = *to_load_.front();
    to_load_.pop_front();
    line& in = of.second;
    in.wants_load = false;
    if (in.is_busy || !in.waits.empty() || in.positions.empty()) {
      if (in.waits.empty()) next_of(of);  // it is over
      continue;
    }
    in.is_loading = true;
    const std::size_t count = std::min(in.positions.size(), most - wanted.size());
    const auto end = std::next(in.positions.begin(), static_cast<std::ptrdiff_t>(count));
    wanted.insert(wanted.end(), in.positions.begin(), end);
  }
  return wanted;
}

/// Of a message that was added or is not there; the first one of a load ends that.
void key_lines::remove_position(std::int64_t seq) {
  const auto found = positions_.find(seq);
  if (found == positions_.end()) return;
  line_of_key& of = *found->second;
  positions_.erase(found);
  line& in = of.second;
  in.positions.erase(std::find(in.positions.begin(), in.positions.end(), seq));
  in.is_loading = false;
  if (in.waits.empty()) next_of(of);
}

void key_lines::forget(std::int64_t seq) { remove_position(seq); }

void key_lines::load_failed(const std::vector<std::int64_t>& wanted) {
  for (const std::int64_t seq : wanted) {
    const auto found = positions_.find(seq);
    if (found == positions_.end()) continue;
    line_of_key& of = *found->second;
    if (std::exchange(of.second.is_loading, false) && of.second.waits.empty()) next_of(of);
  }
}

std::vector<key_lines::entry> key_lines::end() {
  std::vector<entry> waited;
  for (auto& [key, in] : lines_) {
    std::move(in.waits.begin(), in.waits.end(), std::back_inserter(waited));
    in.waits.clear();
  }
  ready_.clear();
  waiting_ = 0;
  return waited;
}

}  // namespace msgbus::durable::detail
