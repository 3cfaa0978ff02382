#pragma once

/// How the business's values are written as JSON: straight into the text, since that is done for
/// every answer, every notice and every line of the audit log.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain.hpp"

namespace exchange {

/// Writes one JSON object at the end of a text. Ended by its destructor.
class object_text {
 public:
  explicit object_text(std::string& to) : to_(to) { to_ += '{'; }
  object_text(const object_text&) = delete;
  object_text& operator=(const object_text&) = delete;
  ~object_text() { to_ += '}'; }

  // Names are written as they are: letters, digits and underscores.
  void add(std::string_view name, std::string_view value);
  template <std::integral Number>
  void add(std::string_view name, Number value) {
    begin(name) += std::to_string(value);
  }
  void add(std::string_view name, bool value) { begin(name) += value ? "true" : "false"; }
  /// For a value that is written after it.
  std::string& begin(std::string_view name);

 private:
  std::string& to_;
  bool first_ = true;
};

/// Writes a string with its quotes; bytes that are no UTF-8 are replaced.
void write(std::string& to, std::string_view text);

// The members of each value.
void add_members(object_text& to, const account& from);
void add_members(object_text& to, const order& from);
void add_members(object_text& to, const totals& from);
void add_members(object_text& to, const symbol_summary& from);
void add_members(object_text& to, const account_opened& from);
void add_members(object_text& to, const money_deposited& from);
void add_members(object_text& to, const money_withdrawn& from);
void add_members(object_text& to, const order_placed& from);
void add_members(object_text& to, const order_cancelled& from);

template <class Value>
concept has_members = requires(object_text& to, const Value& from) { add_members(to, from); };

template <has_members Value>
void write(std::string& to, const Value& from) {
  object_text object(to);
  add_members(object, from);
}

template <has_members Value>
void write(std::string& to, const std::vector<Value>& from) {
  to += '[';
  for (std::size_t each = 0; each < from.size(); ++each) {
    if (each > 0) to += ',';
    write(to, from[each]);
  }
  to += ']';
}

/// With a line's end.
template <has_members Value>
[[nodiscard]] std::string to_line(const Value& from) {
  std::string line;
  write(line, from);
  return line += '\n';
}

/// What a fact is called in the audit log.
[[nodiscard]] std::string_view name_of(const account_opened&);
[[nodiscard]] std::string_view name_of(const money_deposited&);
[[nodiscard]] std::string_view name_of(const money_withdrawn&);
[[nodiscard]] std::string_view name_of(const order_placed&);
[[nodiscard]] std::string_view name_of(const order_cancelled&);

}  // namespace exchange
