#include <msgbus/detail/bridge/tries.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::bridging {

unsigned message_tries::attempt(unsigned times) const noexcept {
  // The stream has forgotten the delivery of which this link knows no outcome any more.
  if (came_before && times == 1 && failures == 0 && handed_back == 0) return 2;
  const unsigned perhaps_handled = times > handed_back ? times - handed_back : 1;
  return std::max(perhaps_handled, failures + 1);
}

unsigned message_tries::unseen(unsigned times) const noexcept {
  const unsigned seen = failures + handed_back + 1;
  return times > seen ? times - seen : 0;
}

message_tries tries::find(std::uint64_t sequence, std::uint64_t of) const {
  const auto found = entries_.find(sequence);
  return found != entries_.end() && found->second.of == of ? found->second.seen : message_tries();
}

template <class Change>
auto tries::change(std::uint64_t sequence, std::uint64_t of, Change change) {
  entry& changed = entries_[sequence];
  if (changed.of != of) changed = {of, {}};
  const auto result = change(changed.seen);
  if (entries_.size() > most_) entries_.erase(entries_.begin());
  return result;
}

unsigned tries::failed(std::uint64_t sequence, std::uint64_t of) {
  return change(sequence, of, [](message_tries& seen) { return ++seen.failures; });
}

unsigned tries::handed_back(std::uint64_t sequence, std::uint64_t of) {
  return change(sequence, of, [](message_tries& seen) { return ++seen.handed_back; });
}

void tries::set_reason(std::uint64_t sequence, std::uint64_t of, std::string reason) {
  change(sequence, of, [&](message_tries& seen) {
    seen.reason = std::move(reason);
    return true;
  });
}

}  // namespace msgbus::bridging
