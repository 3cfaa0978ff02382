// Which rows a destination has in memory: offers and loads.

#include "durable/destination.hpp"

#include <algorithm>

namespace msgbus::durable::detail {

namespace {

constexpr std::size_t most_loaded_of_lines = 64;

}  // namespace

void destination::add_type(const bridging::message_decoder& reads) {
  const std::lock_guard lock(mutex_);
  for (const bridging::message_decoder& each : *decoders_) {
    if (each.type != reads.type) continue;
    if (each.read == reads.read) return;
    throw error(errc::bad_arguments, "two types with routes to '" + name_ +
                                         "' have the same name, '" + std::string(reads.type) +
                                         "': give one of them another name (msgbus::name_of)");
  }
  auto more = std::make_shared<decoders>(*decoders_);
  more->push_back(reads);
  decoders_ = std::move(more);
  window_.restart();
}

void destination::offer(std::span<message_row> rows) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  for (message_row& row : rows) {
    if (row.due) continue;
    const auto reads = [&](const bridging::message_decoder& each) { return each.type == row.type; };
    // A row of a type without a route is found when that has one: `restart`.
    if (std::none_of(decoders_->begin(), decoders_->end(), reads)) continue;
    const bool is_held = row.keeps_place ? window_.hold(row.seq) : window_.offer(row.seq);
    if (is_held) queue_.push_back(std::move(row));
  }
  if (!queue_.empty()) start_locked();
}

bool destination::begin_load() {
  const std::lock_guard lock(mutex_);
  return !stopped_ && !decoders_->empty() && window_.begin_load();
}

void destination::load(outbox& in) {
  std::vector<std::string> types;
  std::int64_t after = 0;
  std::size_t most = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const bridging::message_decoder& each : *decoders_) types.emplace_back(each.type);
    window_.load_begins();
    after = window_.cursor();
    most = window_.space();
  }
  loaded_rows found;
  try {
    found = in.load(name_, types, after, most);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    window_.load_failed();
    throw;
  }
  const std::lock_guard lock(mutex_);
  for (message_row& each : found.rows) {
    if (!window_.loaded(each.seq)) continue;
    if (lines_ && lines_->knows_position(each.seq)) {
      window_.gone(each.seq);  // its line asks for it
    } else {
      queue_.push_back(std::move(each));
    }
  }
  window_.load_ended(found.up_to, found.is_last);
  if (!queue_.empty()) start_locked();
}

std::vector<std::int64_t> destination::begin_load_of_lines() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || !lines_) return {};
  return lines_->begin_load(most_loaded_of_lines);
}

void destination::load(outbox& in, const std::vector<std::int64_t>& positions) {
  std::vector<message_row> rows;
  try {
    rows = in.load(positions);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    lines_->load_failed(positions);
    throw;
  }
  const std::lock_guard lock(mutex_);
  auto next = rows.begin();
  for (const std::int64_t seq : positions) {
    if (next == rows.end() || next->seq != seq) {
      lines_->forget(seq);
      continue;
    }
    if (window_.hold(seq)) queue_.push_back(std::move(*next));
    ++next;
  }
  if (!queue_.empty()) start_locked();
}

void destination::gone(std::span<const std::int64_t> positions) {
  const std::lock_guard lock(mutex_);
  for (const std::int64_t seq : positions) window_.gone(seq);
}

void destination::take_handled(std::vector<std::int64_t>& to) {
  const std::lock_guard lock(mutex_);
  to.insert(to.end(), handled_.begin(), handled_.end());
  handled_.clear();
}

}  // namespace msgbus::durable::detail
