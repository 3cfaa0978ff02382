#include "bridge/pending_replies.hpp"

#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

namespace msgbus::bridging {

namespace {

constexpr unsigned place_bits = 32;

pending_replies::key key_of(std::size_t place, std::uint32_t turn) noexcept {
  return (std::uint64_t{turn} << place_bits) | place;
}

}  // namespace

pending_replies::key pending_replies::add(const reply& added) {
  if (ended_) {
    added->ended = ended_;
    return 0;
  }
  if (first_free_ == places_.size()) {
    places_.emplace_back().turn = first_turn_;
    places_.back().next_free = static_cast<std::uint32_t>(places_.size());
  }
  const std::uint32_t at = first_free_;
  place& one = places_[at];
  first_free_ = one.next_free;
  one.waiting = added;
  if (++one.turn == 0) ++one.turn;  // 0 is no key
  return key_of(at, one.turn);
}

pending_replies::reply pending_replies::take(key of) noexcept {
  const auto at = static_cast<std::uint32_t>(of);
  if (at >= places_.size() || of != key_of(at, places_[at].turn)) return nullptr;
  place& one = places_[at];
  if (!one.waiting) return nullptr;
  one.next_free = first_free_;
  first_free_ = at;
  return std::move(one.waiting);
}

pending_replies::reply pending_replies::answer(key of, envelope&& with) {
  reply taken = take(of);
  if (taken) taken->answer = std::move(with);
  return taken;
}

void pending_replies::give_up(key of) noexcept { (void)take(of); }

std::vector<pending_replies::reply> pending_replies::interrupt(
    const pending_reply::ending& ending) {
  std::vector<reply> left;
  for (std::size_t at = 0; at < places_.size(); ++at) {
    reply taken = take(key_of(at, places_[at].turn));
    if (!taken) continue;
    taken->ended = ending;
    left.push_back(std::move(taken));
  }
  return left;
}

std::vector<pending_replies::reply> pending_replies::end(const pending_reply::ending& ending) {
  ended_ = ending;
  return interrupt(ending);
}

std::string topic_of(std::string_view inbox, pending_replies::key of) {
  char digits[20];
  char* const end = std::to_chars(std::begin(digits), std::end(digits), of).ptr;
  std::string topic;
  topic.reserve(inbox.size() + 1 + static_cast<std::size_t>(end - digits));
  topic += inbox;
  topic += '.';
  topic.append(std::begin(digits), end);
  return topic;
}

pending_replies::key key_in(std::string_view topic, std::string_view inbox) noexcept {
  if (topic.size() <= inbox.size() + 1) return 0;
  const std::string_view text = topic.substr(inbox.size() + 1);
  pending_replies::key found = 0;
  const auto [read_to, wrong] = std::from_chars(text.data(), text.data() + text.size(), found);
  const bool is_whole = wrong == std::errc() && read_to == text.data() + text.size();
  return is_whole ? found : 0;
}

}  // namespace msgbus::bridging
