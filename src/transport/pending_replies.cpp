#include "transport/pending_replies.hpp"

#include <charconv>
#include <iterator>
#include <system_error>

namespace msgbus::transport {

std::string reply_topic(std::string_view inbox, std::uint64_t number) {
  char digits[20];
  char* const end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  std::string topic;
  topic.reserve(inbox.size() + 1 + static_cast<std::size_t>(end - digits));
  topic += inbox;
  topic += '.';
  topic.append(std::begin(digits), end);
  return topic;
}

std::uint64_t reply_number(std::string_view topic, std::string_view inbox) noexcept {
  if (topic.size() <= inbox.size() + 1) return 0;
  const std::string_view text = topic.substr(inbox.size() + 1);
  std::uint64_t found = 0;
  const auto [read_to, wrong] = std::from_chars(text.data(), text.data() + text.size(), found);
  const bool is_whole = wrong == std::errc() && read_to == text.data() + text.size();
  return is_whole ? found : 0;
}

}  // namespace msgbus::transport
