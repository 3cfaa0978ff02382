#pragma once

/// Command line options of the form --name value. For the server and for its load driver.

#include <charconv>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace exchange {

class options {
 public:
  /// `known` are the names. Throws `std::invalid_argument` for others and for missing values.
  options(int argc, char** argv, const std::vector<std::string_view>& known) {
    for (int at = 1; at < argc; at += 2) {
      const std::string_view name = argv[at];
      bool is_known = false;
      for (const std::string_view each : known) is_known = is_known || each == name;
      if (!is_known) throw std::invalid_argument("unknown option " + std::string(name));
      if (at + 1 == argc) throw std::invalid_argument(std::string(name) + " needs a value");
      values_[name] = argv[at + 1];
    }
  }

  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = "") const {
    const auto found = values_.find(name);
    return std::string(found == values_.end() ? otherwise : found->second);
  }

  [[nodiscard]] int number(std::string_view name, int otherwise, int least, int most) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    int value = 0;
    const std::string_view text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
      throw std::invalid_argument(std::string(name) + " must be a number from " +
                                  std::to_string(least) + " to " + std::to_string(most) +
                                  ", not '" + std::string(text) + "'");
    }
    return value;
  }

 private:
  std::map<std::string_view, std::string_view> values_;
};

}  // namespace exchange
