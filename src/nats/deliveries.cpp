#include "deliveries.hpp"

#include "times.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace msgbus::nats {

// --- Credit. -------------------------------------------------------------------------------------

auto pull_credit::request(time_point now, bool is_away) noexcept -> action {
  if (stopped_ || unsure_ || requested_ > 0 || credit_ == 0 || is_away) return action::nothing;
  requested_ = std::min(credit_, largest_request);
  ++number_;
  heard_ = now;
  return action::request;
}

auto pull_credit::become_unsure(time_point now) noexcept -> action {
  unsure_ = true;
  heard_ = now;
  return stopped_ ? action::nothing : action::look;
}

auto pull_credit::add(std::size_t more, time_point now, bool is_away) noexcept -> action {
  credit_ += more;
  return request(now, is_away);
}

bool pull_credit::take(time_point now, bool is_away, action& next) noexcept {
  next = action::nothing;
  heard_ = now;
  refusals_ = 0;
  if (stopped_ || credit_ == 0) return false;
  --credit_;
  if (requested_ > 0) --requested_;
  next = request(now, is_away);
  return true;
}

auto pull_credit::answered(std::string_view number, std::string_view status, std::string_view text,
                           time_point now, bool is_away) -> action {
  heard_ = now;
  if (status == "100" || number != std::to_string(number_)) return action::nothing;
  requested_ = 0;
  if (status == "408" || status == "404") {
    refusals_ = 0;
    return request(now, is_away);
  }
  refused_with_ = status;
  if (!text.empty()) refused_with_.append(" ").append(text);
  ++refusals_;
  return unsure_ ? action::nothing : become_unsure(now);
}

auto pull_credit::looked(found seen, std::string_view text, time_point now, bool is_away)
    -> action {
  if (!unsure_ || stopped_) return action::nothing;
  heard_ = now;
  if (seen == found::gone) {
    why_ = text;
    return action::end;
  }
  if (seen == found::unknown) return action::look_later;
  if (refusals_ >= most_refusals) {
    why_ = refused_with_;
    return action::end;
  }
  // It may be refused again at once, so not at once.
  if (refusals_ > 0) return action::try_later;
  unsure_ = false;
  return request(now, is_away);
}

auto pull_credit::try_again(time_point now, bool is_away) noexcept -> action {
  if (!std::exchange(unsure_, false)) return action::nothing;
  return request(now, is_away);
}

auto pull_credit::look_again(time_point now) noexcept -> action {
  return unsure_ ? become_unsure(now) : action::nothing;
}

auto pull_credit::watch(time_point now) noexcept -> action {
  const bool waits = unsure_ || requested_ > 0;
  if (stopped_ || !waits || now - heard_ < silence) return action::nothing;
  requested_ = 0;
  return become_unsure(now);
}

auto pull_credit::connection_is_back(time_point now) noexcept -> action {
  requested_ = 0;
  return become_unsure(now);
}

bool pull_credit::stop() noexcept { return !std::exchange(stopped_, true); }

// --- Words. --------------------------------------------------------------------------------------

bool is_delivery(std::string_view reply_topic) noexcept {
  return reply_topic.starts_with("$JS.ACK.");
}

delivered read_ack_topic(std::string_view ack_topic) noexcept {
  // $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>..., or, with 11 tokens or more,
  // $JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.<sequence>...
  const auto dots = std::count(ack_topic.begin(), ack_topic.end(), '.');
  std::string_view rest = ack_topic;
  const auto skip = [&rest] {
    rest.remove_prefix(rest.find('.') == rest.npos ? rest.size() : rest.find('.') + 1);
  };
  for (int skipped = dots >= 10 ? 6 : 4; skipped > 0; --skipped) skip();
  delivered result;
  std::from_chars(rest.data(), rest.data() + rest.size(), result.times);
  result.times = std::max(1u, result.times);
  skip();
  std::from_chars(rest.data(), rest.data() + rest.size(), result.sequence);
  return result;
}

nak_text::nak_text(std::chrono::nanoseconds delay) noexcept {
  const auto add = [this](std::string_view text) {
    std::copy(text.begin(), text.end(), text_.data() + size_);
    size_ += text.size();
  };
  add("-NAK");
  if (delay.count() <= 0) return;
  add(" {\"delay\":");
  char* const from = text_.data() + size_;
  const auto number = std::to_chars(from, text_.data() + text_.size(), nanoseconds(delay));
  size_ += static_cast<std::size_t>(number.ptr - from);
  add("}");
}

// --- Progress. -----------------------------------------------------------------------------------

unsettled_list::unsettled_list(duration ack_wait) noexcept
    : period_(std::clamp(ack_wait / 3, shortest_period, longest_period)),
      between_looks_(period_ / 4) {}

void unsettled_list::add(entry& added, time_point now) noexcept {
  added.due_ = first_time(now);
  added.is_listed_ = true;
  append(added);
}

void unsettled_list::remove(entry& removed) noexcept {
  if (!removed.is_listed_) return;
  removed.is_listed_ = false;
  unlink(removed);
}

auto unsettled_list::next_due(time_point now) noexcept -> entry* {
  if (!first_ || first_->due_ > now) return nullptr;
  entry& due = *first_;
  unlink(due);
  due.due_ = now + period_;
  append(due);
  return &due;
}

auto unsettled_list::next_look(time_point now, bool is_away) const noexcept -> time_point {
  if (is_away) return now + std::min(while_away, between_looks_);
  return std::max(first_->due_, now + between_looks_);
}

void unsettled_list::append(entry& added) noexcept {
  added.before_ = last_;
  added.after_ = nullptr;
  (last_ ? last_->after_ : first_) = &added;
  last_ = &added;
}

void unsettled_list::unlink(entry& removed) noexcept {
  (removed.before_ ? removed.before_->after_ : first_) = removed.after_;
  (removed.after_ ? removed.after_->before_ : last_) = removed.before_;
}

}  // namespace msgbus::nats
