#include "reconnection.hpp"

#include "transport/names.hpp"

#include <utility>

namespace msgbus::nats {

namespace {

/// The bytes that a kept message counts for.
std::size_t weight(const envelope& message, const std::string& reply_to) noexcept {
  return transport::size_of(message) + message.topic.size() + reply_to.size();
}

bool is_about_subscriptions(std::string_view error) noexcept {
  return error.find("ubscription") != error.npos || error.find("ontrol line") != error.npos ||
         error.find("nvalid Subject") != error.npos;
}

}  // namespace

// --- Kept messages. ------------------------------------------------------------------------------

bool kept_messages::lose() noexcept {
  must_keep_.store(true, std::memory_order_release);
  ++losses_;
  return !std::exchange(away_, true);
}

bool kept_messages::come_back(std::uint64_t from_loss) noexcept {
  if (from_loss != losses_) return false;
  away_ = false;
  must_keep_.store(!messages_.empty(), std::memory_order_release);
  return true;
}

bool kept_messages::keep(const envelope& message, const std::string& reply_to) {
  const std::size_t size = weight(message, reply_to);
  if (bytes_ + size > most_bytes_) return false;
  messages_.push_back(message);
  messages_.back().reply_to = reply_to;
  bytes_ += size;
  must_keep_.store(true, std::memory_order_release);
  return true;
}

const envelope* kept_messages::first() const noexcept {
  return messages_.empty() ? nullptr : &messages_.front();
}

auto kept_messages::tried(attempt manner) noexcept -> decision {
  if (manner == attempt::too_early) return decision::wait;
  if (manner == attempt::broken) {
    // Once for each connection.
    if (std::exchange(last_broke_at_, losses_) != losses_) ++breaks_;
    if (breaks_ < most_breaks) return decision::wait;
  }
  breaks_ = 0;
  if (manner == attempt::sent) return decision::sent;
  given_up_.fetch_add(1, std::memory_order_relaxed);
  return decision::give_up;
}

void kept_messages::pop() noexcept {
  bytes_ -= weight(messages_.front(), messages_.front().reply_to);
  messages_.pop_front();
  if (messages_.empty() && !away_) must_keep_.store(false, std::memory_order_release);
}

std::size_t kept_messages::give_up_all() noexcept {
  const std::size_t count = messages_.size();
  given_up_.fetch_add(count, std::memory_order_relaxed);
  messages_.clear();
  bytes_ = 0;
  return count;
}

// --- Reopening. ----------------------------------------------------------------------------------

bool reopening::is_news(const std::string& failure) {
  return failure != std::exchange(last_failure_, failure);
}

bool reopening::blames(std::uint64_t number, std::string_view error) noexcept {
  const bool again = std::exchange(suspect_, number) == number;
  return again || is_about_subscriptions(error);
}

void reopening::done() noexcept {
  tries_ = 0;
  searches_ = false;
  suspect_ = 0;
  last_failure_.clear();
}

}  // namespace msgbus::nats
