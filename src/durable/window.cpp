#include "durable/window.hpp"

namespace msgbus::durable::detail {

bool window::offer(std::int64_t seq) {
  if (!complete_ || held_.size() >= size_) {
    complete_ = false;
    return false;
  }
  held_.insert(seq);
  cursor_ = seq;
  return true;
}

bool window::begin_load() noexcept {
  if (complete_ || loading_ || held_.size() > size_ / 2) return false;
  loading_ = true;
  return true;
}

void window::load_begins() noexcept { restarted_ = false; }

bool window::loaded(std::int64_t seq) {
  if (restarted_) return false;  // the next load finds it
  cursor_ = seq;
  return held_.insert(seq).second;
}

void window::load_ended(bool is_last) noexcept {
  loading_ = false;
  complete_ = is_last && !restarted_;
}

void window::restart() noexcept {
  cursor_ = 0;
  complete_ = false;
  restarted_ = true;
}

}  // namespace msgbus::durable::detail
