#include "outbox.hpp"

#include <utility>

namespace exchange {

std::size_t outbox::add_reply(std::string line) {
  const std::lock_guard lock(mutex_);
  reply_bytes_ += line.size();
  replies_.push_back({++last_place_, std::move(line)});
  return reply_bytes_;
}

bool outbox::add_notice(std::shared_ptr<const std::string> line) {
  const std::lock_guard lock(mutex_);
  if (notices_.size() >= limits_.notices) {
    notices_.pop_front();
    ++untold_;
    ++totals_.dropped;
  }
  notices_.push_back({++last_place_, std::move(line)});
  ++totals_.added;
  return std::exchange(idle_, false);
}

bool outbox::room() const {
  const std::lock_guard lock(mutex_);
  return reply_bytes_ < limits_.reply_bytes;
}

bool outbox::take(std::string& batch, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  while (batch.size() < bytes && !(replies_.empty() && notices_.empty())) {
    const bool notice_first =
        replies_.empty() || (!notices_.empty() && notices_.front().place < replies_.front().place);
    if (notice_first) {
      tell_dropped(batch);
      batch += *notices_.front().line;
      notices_.pop_front();
    } else {
      reply_bytes_ -= replies_.front().line.size();
      batch += replies_.front().line;
      replies_.pop_front();
    }
  }
  idle_ = batch.empty();
  return !idle_;
}

outbox::totals outbox::notices() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

// The gap is just before the oldest notice that is left.
void outbox::tell_dropped(std::string& batch) {
  if (untold_ == 0) return;
  batch += "{\"dropped\":" + std::to_string(untold_) + "}\n";
  untold_ = 0;
}

}  // namespace exchange
