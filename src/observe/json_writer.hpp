#pragma once

/// Writes JSON in one line.

#include "core/text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus::detail {

/// An object or a list that is being written.
class json_writer {
 public:
  explicit json_writer(char open) : text_(1, open) {}

  json_writer& member(std::string_view name, const std::string& json) {
    separate();
    text_ += json_string(name) + ':' + json;
    return *this;
  }
  json_writer& text(std::string_view name, std::string_view value) {
    return member(name, json_string(value));
  }
  json_writer& number(std::string_view name, std::uint64_t value) {
    return member(name, std::to_string(value));
  }
  json_writer& flag(std::string_view name, bool value) {
    return member(name, value ? "true" : "false");
  }
  json_writer& element(const std::string& json) {
    separate();
    text_ += json;
    return *this;
  }
  [[nodiscard]] std::string close(char with) { return std::move(text_) + with; }

 private:
  void separate() {
    if (text_.size() > 1) text_ += ',';
  }
  std::string text_;
};

/// A list of what the function makes of each.
template <class List, class Form>
std::string list_of(const List& all, Form form) {
  json_writer list('[');
  for (const auto& each : all) list.element(form(each));
  return list.close(']');
}

}  // namespace msgbus::detail
