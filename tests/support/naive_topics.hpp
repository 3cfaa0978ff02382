#pragma once

// A second, plain implementation of topics and patterns. Tests compare the library with it (T7).

#include <string>
#include <string_view>
#include <vector>

namespace msgbus_test {

/// The texts between the dots: `"a..b"` has three tokens, `""` has one.
inline std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens(1);
  for (const char c : text) {
    if (c == '.') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

inline bool is_valid_pattern(std::string_view text) {
  const auto tokens = tokens_of(text);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty()) return false;
    if (tokens[i].find_first_of(std::string_view(" \t\n\v\f\r\0", 7)) != std::string::npos) {
      return false;
    }
    if (tokens[i] == ">" && i + 1 != tokens.size()) return false;
  }
  return true;
}

inline bool is_valid_topic(std::string_view text) {
  if (!is_valid_pattern(text)) return false;
  for (const std::string& token : tokens_of(text)) {
    if (token == "*" || token == ">") return false;
  }
  return true;
}

inline bool match_from(const std::vector<std::string>& pattern, std::size_t p,
                       const std::vector<std::string>& topic, std::size_t t) {
  if (p == pattern.size()) return t == topic.size();
  if (t == topic.size()) return false;
  if (pattern[p] == ">") return true;
  return (pattern[p] == "*" || pattern[p] == topic[t]) && match_from(pattern, p + 1, topic, t + 1);
}

/// Whether a valid pattern matches a valid topic.
inline bool naive_match(std::string_view pattern, std::string_view topic) {
  return match_from(tokens_of(pattern), 0, tokens_of(topic), 0);
}

/// Every sequence of one to `longest` of the words, joined by `joint`.
inline std::vector<std::string> all_sequences(const std::vector<std::string>& words,
                                              std::size_t longest, const std::string& joint) {
  std::vector<std::string> all = words;
  std::size_t first_of_last_length = 0;
  for (std::size_t length = 2; length <= longest; ++length) {
    const std::size_t end = all.size();
    for (std::size_t i = first_of_last_length; i < end; ++i) {
      for (const std::string& word : words) all.push_back(all[i] + joint + word);
    }
    first_of_last_length = end;
  }
  return all;
}

}  // namespace msgbus_test
