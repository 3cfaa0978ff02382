#include "transport/memory_stream.hpp"

#include "transport/names.hpp"

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>

namespace msgbus::transport::memory {

namespace {

constexpr time_point at_once = time_point::min();
constexpr time_point never = time_point::max();

}  // namespace

// --- The messages. -------------------------------------------------------------------------------

std::uint64_t message_log::append(message added, time_point now) {
  kept_.push_back({std::move(added), now});
  ++size_;
  drop_old(now);
  return end() - 1;
}

void message_log::drop_old(time_point now) {
  const auto too_many = [&] {
    return max_messages_ >= 0 && size_ > static_cast<std::uint64_t>(max_messages_);
  };
  const auto too_old = [&] {
    return max_age_ > duration::zero() && detail::saturating_add(kept_.front().at, max_age_) <= now;
  };
  while (!kept_.empty() && (too_many() || too_old())) drop_front();
}

void message_log::drop_front() noexcept {
  --size_;
  do {
    kept_.pop_front();
    ++first_;
  } while (!kept_.empty() && !kept_.front().one);
}

bool message_log::erase(std::uint64_t sequence) noexcept {
  if (!find(sequence)) return false;
  if (sequence == first_) {
    drop_front();
  } else {
    kept_[static_cast<std::size_t>(sequence - first_)].one.reset();
    --size_;
  }
  return true;
}

const message* message_log::find(std::uint64_t sequence) const noexcept {
  if (sequence < first_ || sequence >= end()) return nullptr;
  const message& one = kept_[static_cast<std::size_t>(sequence - first_)].one;
  return one ? &one : nullptr;
}

std::uint64_t message_log::next_from(std::uint64_t sequence) const noexcept {
  std::uint64_t at = std::max(sequence, first_);
  while (at < end() && !find(at)) ++at;
  return std::min(at, end());
}

// --- The durable consumer. -----------------------------------------------------------------------

void durable_state::join(taker_id id, owner_id owner) { takers_.push_back({id, owner}); }

void durable_state::leave(taker_id id) {
  std::erase_if(takers_, [&](const auto& each) { return each.id == id; });
}

void durable_state::ask(taker_id id, std::size_t more) {
  if (auto* const found = find(id)) found->credit += more;
}

void durable_state::pause(taker_id id, bool away) {
  if (auto* const found = find(id)) found->away = away;
}

const durable_state::taker* durable_state::find(taker_id id) const noexcept {
  const auto found = std::ranges::find(takers_, id, &taker::id);
  return found == takers_.end() ? nullptr : &*found;
}

durable_state::taker* durable_state::find(taker_id id) noexcept {
  const auto found = std::ranges::find(takers_, id, &taker::id);
  return found == takers_.end() ? nullptr : &*found;
}

bool durable_state::waits(taker_id id) const noexcept {
  const auto* const found = find(id);
  return found != nullptr && found->credit != 0 && !found->away;
}

durable_state::taker* durable_state::whose_turn() noexcept {
  for (std::size_t i = 0; i < takers_.size(); ++i) {
    taker& each = takers_[(turn_ + i) % takers_.size()];
    if (each.credit == 0 || each.away) continue;
    turn_ = (turn_ + i + 1) % takers_.size();
    return &each;
  }
  return nullptr;
}

handout durable_state::give(taker& to, std::uint64_t sequence, message one, time_point now) {
  const auto at = unsettled_.try_emplace(sequence, entry{0, at_once, to.owner, true}).first;
  at->second.owner = to.owner;
  at->second.held = true;
  at->second.lives = false;
  ++at->second.times;
  set_due(at, detail::saturating_add(now, ack_wait_));
  --to.credit;
  return {to.id, sequence, at->second.times, std::move(one)};
}

std::optional<handout> durable_state::next(const message_log& log, time_point now) {
  taker* const to = whose_turn();
  if (!to) return std::nullopt;
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::uint64_t sequence = due_.begin()->second;
    if (const message* const one = log.find(sequence)) return give(*to, sequence, *one, now);
    settle(sequence);  // the stream no longer has it
  }
  for (next_new_ = std::max(next_new_, log.first()); next_new_ < log.end();) {
    const std::uint64_t sequence = next_new_++;
    const message* const one = log.find(sequence);
    if (one && (filter_.empty() || pattern_matches(filter_, (*one)->topic))) {
      return give(*to, sequence, *one, now);
    }
  }
  return std::nullopt;
}

std::optional<time_point> durable_state::next_due() const {
  if (due_.empty() || due_.begin()->first == never) return std::nullopt;
  return due_.begin()->first;
}

bool durable_state::holds(std::uint64_t sequence, unsigned times) const {
  const auto at = unsettled_.find(sequence);
  return at != unsettled_.end() && at->second.times == times && at->second.held;
}

void durable_state::settle(std::uint64_t sequence) {
  const auto at = unsettled_.find(sequence);
  if (at == unsettled_.end()) return;
  due_.erase({at->second.due, sequence});
  unsettled_.erase(at);
}

durable_state::entries::iterator durable_state::last_delivery(std::uint64_t sequence,
                                                              unsigned times) {
  return holds(sequence, times) ? unsettled_.find(sequence) : unsettled_.end();
}

void durable_state::set_due(entries::iterator of, time_point due) {
  due_.erase({of->second.due, of->first});
  of->second.due = due;
  due_.insert({due, of->first});
}

void durable_state::nak(std::uint64_t sequence, unsigned times, time_point due) {
  const auto at = last_delivery(sequence, times);
  if (at == unsettled_.end()) return;
  at->second.held = false;
  set_due(at, due);
}

void durable_state::begin(std::uint64_t sequence, unsigned times) {
  const auto at = last_delivery(sequence, times);
  if (at == unsettled_.end()) return;
  at->second.lives = true;
  set_due(at, never);
}

void durable_state::let_go(std::uint64_t sequence, unsigned times, time_point now) {
  const auto at = last_delivery(sequence, times);
  if (at == unsettled_.end() || !std::exchange(at->second.lives, false)) return;
  if (at->second.due == never) set_due(at, detail::saturating_add(now, ack_wait_));
}

void durable_state::set_away(owner_id owner, bool away, time_point now) {
  for (auto at = unsettled_.begin(); at != unsettled_.end(); ++at) {
    const entry& each = at->second;
    if (each.owner != owner || !each.held || !each.lives) continue;
    set_due(at, away ? detail::saturating_add(now, ack_wait_) : never);
  }
}

void durable_state::give_back(std::uint64_t sequence, unsigned times) {
  const auto at = last_delivery(sequence, times);
  if (at == unsettled_.end()) return;
  --at->second.times;
  at->second.held = false;
  set_due(at, at_once);
}

void durable_state::abandon(owner_id owner) {
  for (auto at = unsettled_.begin(); at != unsettled_.end(); ++at) {
    if (at->second.owner != owner || !at->second.held) continue;
    at->second.held = false;
    set_due(at, at_once);
  }
}

// --- The stream. ---------------------------------------------------------------------------------

memory_stream::memory_stream(stream_options options)
    : options_(std::move(options)), log_(options_.max_age, options_.max_messages) {}

bool memory_stream::takes(std::string_view topic) const noexcept {
  return std::ranges::any_of(options_.topics,
                             [&](const auto& each) { return pattern_matches(each, topic); });
}

bool memory_stream::overlaps(std::string_view pattern) const noexcept {
  return std::ranges::any_of(options_.topics,
                             [&](const auto& each) { return patterns_overlap(each, pattern); });
}

void memory_stream::add_topics(const std::vector<std::string>& topics) {
  for (const std::string& each : topics) {
    if (std::ranges::find(options_.topics, each) == options_.topics.end()) {
      options_.topics.push_back(each);
    }
  }
}

void memory_stream::forget_ids(time_point now) {
  while (!ids_by_time_.empty() &&
         detail::saturating_add(ids_by_time_.front().first, options_.duplicate_window) <= now) {
    ids_.erase(ids_by_time_.front().second);
    ids_by_time_.pop_front();
  }
}

stored memory_stream::store(message added, time_point now) {
  forget_ids(now);
  const auto id = added->headers.find(header::message_id);
  const bool named = id != added->headers.end() && !id->second.empty();
  if (named) {
    if (const auto before = ids_.find(id->second); before != ids_.end()) {
      return {options_.name, before->second, true};
    }
  }
  const std::uint64_t sequence = log_.append(added, now);
  if (named) {
    ids_.emplace(id->second, sequence);
    ids_by_time_.emplace_back(now, id->second);
  }
  return {options_.name, sequence, false};
}

std::optional<memory_stream::found> memory_stream::read(std::uint64_t from, time_point now) {
  log_.drop_old(now);
  const std::uint64_t sequence = log_.next_from(from);
  const message* const one = log_.find(sequence);
  if (!one) return std::nullopt;
  return found{*one, sequence, now - log_.stored_at(sequence)};
}

bool memory_stream::erase(std::uint64_t sequence, time_point now) {
  log_.drop_old(now);
  return log_.erase(sequence);
}

std::shared_ptr<durable_state> memory_stream::find(const std::string& durable) const {
  const auto at = durables_.find(durable);
  return at == durables_.end() ? nullptr : at->second;
}

std::shared_ptr<durable_state> memory_stream::make(const std::string& durable, std::string filter,
                                                   duration ack_wait) {
  auto made = std::make_shared<durable_state>(std::move(filter), ack_wait);
  durables_.emplace(durable, made);
  return made;
}

std::optional<handout> memory_stream::next(durable_state& of, time_point now) {
  log_.drop_old(now);
  return of.next(log_, now);
}

}  // namespace msgbus::transport::memory
