#include "pull_credit.hpp"

#include <algorithm>
#include <utility>

namespace msgbus::nats {

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

}  // namespace msgbus::nats
