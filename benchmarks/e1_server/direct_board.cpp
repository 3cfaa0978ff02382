#include "direct_board.hpp"

#include <utility>

#include "domain.hpp"

namespace direct {
namespace {

std::string_view next_word(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view word = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return word;
}

std::vector<std::string> read_pattern(std::string_view pattern) {
  std::vector<std::string> words;
  const bool ends_well = !pattern.empty() && !pattern.ends_with('.');
  for (std::string_view rest = pattern; !rest.empty();) words.emplace_back(next_word(rest));
  for (const std::string& each : words) {
    if (each.empty() || !ends_well || (each == ">" && &each != &words.back())) words.clear();
    if (words.empty()) break;
  }
  if (words.empty()) {
    throw exchange::refusal("bad_request", "'" + std::string(pattern) + "' is no pattern");
  }
  return words;
}

bool matches(const std::vector<std::string>& pattern, std::string_view topic) {
  for (const std::string& each : pattern) {
    if (topic.empty()) return false;
    if (each == ">") return true;
    const std::string_view word = next_word(topic);
    if (each != "*" && each != word) return false;
  }
  return topic.empty();
}

}  // namespace

class board::entry final : public following {
 public:
  entry(board& on, std::list<follower>::iterator place) : on_(on), place_(place) {}
  ~entry() override {
    std::list<follower> removed;  // destroyed without the lock
    const std::lock_guard lock(on_.mutex_);
    removed.splice(removed.end(), on_.followers_, place_);
  }

 private:
  board& on_;
  std::list<follower>::iterator place_;
};

std::unique_ptr<exchange::board::following> board::follow(
    const std::string& pattern, std::function<void(const exchange::notice&)> take) {
  follower added{read_pattern(pattern), std::move(take)};
  const std::lock_guard lock(mutex_);
  const auto place = followers_.insert(followers_.end(), std::move(added));
  return std::make_unique<entry>(*this, place);
}

void board::publish(const exchange::notice& message, std::string_view topic) {
  const std::lock_guard lock(mutex_);
  for (const follower& each : followers_) {
    if (matches(each.pattern, topic)) each.take(message);
  }
}

}  // namespace direct
