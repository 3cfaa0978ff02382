#include "waits.hpp"

namespace msgbus::nats {

namespace {

constexpr auto granularity = std::chrono::milliseconds(20);
constexpr int turn_bits = 32;

}  // namespace

waits::place::place(std::shared_ptr<waits> in, time_point until, kind what,
                    std::optional<role> over)
    : in_(std::move(in)),
      where_(std::make_shared<handover>()),
      number_(in_->add(where_, until, what, over)) {}

waits::place::~place() { in_->remove(number_); }

std::uint64_t waits::add(std::shared_ptr<handover> where, time_point until, kind what,
                         std::optional<role> over) {
  const std::lock_guard lock(mutex_);
  std::uint32_t at = 0;
  if (free_.empty()) {
    at = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back();
    free_.reserve(entries_.capacity());  // so that `remove` does not allocate
  } else {
    at = free_.back();
    free_.pop_back();
  }
  entry& mine = entries_[at];
  if (closed_) where->give({answer::how::closed});
  mine.where = std::move(where);
  mine.until = until;
  mine.what = what;
  mine.over = over;
  if (what == kind::answer) answers_.fetch_add(1, std::memory_order_relaxed);
  start_clock();
  return std::uint64_t{mine.turn} << turn_bits | at;
}

waits::entry* waits::find(std::uint64_t number) noexcept {
  const auto at = static_cast<std::uint32_t>(number);
  if (at >= entries_.size()) return nullptr;
  entry& found = entries_[at];
  return found.where && found.turn == number >> turn_bits ? &found : nullptr;
}

void waits::remove(std::uint64_t number) noexcept {
  const std::lock_guard lock(mutex_);
  entry* const mine = find(number);
  if (!mine) return;
  if (mine->what == kind::answer) answers_.fetch_sub(1, std::memory_order_relaxed);
  mine->where.reset();
  ++mine->turn;
  free_.push_back(static_cast<std::uint32_t>(number));
}

bool waits::give(std::uint64_t number, answer&& what) noexcept {
  std::shared_ptr<handover> to;
  {
    const std::lock_guard lock(mutex_);
    if (const entry* const found = find(number)) to = found->where;
  }
  if (!to) return false;
  to->give(std::move(what));
  return true;
}

template <class Which>
void waits::end_all(Which which, answer::how came) noexcept {
  const std::lock_guard lock(mutex_);
  for (const entry& each : entries_) {
    if (each.where && which(each)) each.where->give({came});
  }
}

void waits::lost(role which) noexcept {
  end_all([&](const entry& each) { return each.what == kind::answer && each.over == which; },
          answer::how::lost);
}

void waits::back() noexcept {
  end_all([](const entry& each) { return each.what == kind::pause; }, answer::how::given);
}

void waits::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  end_all([](const entry&) { return true; }, answer::how::closed);
}

void waits::start_clock() {
  if (clock_runs_ || closed_) return;
  clock_runs_ = true;
  clock_->at(std::chrono::steady_clock::now() + granularity, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look_at_clock();
  });
}

void waits::look_at_clock() noexcept {
  const auto now = std::chrono::steady_clock::now();
  end_all([&](const entry& each) { return each.until <= now; }, answer::how::late);
  const std::lock_guard lock(mutex_);
  clock_runs_ = false;
  if (free_.size() < entries_.size()) start_clock();
}

}  // namespace msgbus::nats
