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
  return held_.insert(seq).second;
}

void window::load_ended(std::int64_t up_to, bool is_last) noexcept {
  loading_ = false;
  if (restarted_) return;
  cursor_ = up_to;
  complete_ = is_last;
}

void window::restart() noexcept {
  cursor_ = 0;
  complete_ = false;
  restarted_ = true;
}

}  // namespace msgbus::durable::detail
