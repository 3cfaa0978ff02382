#include <msgbus/durable/value.hpp>

#include <msgbus/error.hpp>

#include <algorithm>

namespace msgbus::durable {

namespace {

const char* kind_of(const value& given) {
  constexpr const char* kinds[] = {"null", "an integer", "a real number", "a text", "a blob"};
  return kinds[given.index()];
}

}  // namespace

namespace detail {

void throw_too_large_integer() {
  throw error(errc::bad_arguments,
              "an argument of a statement is larger than SQLite's largest integer, which is "
              "9223372036854775807");
}

void throw_wrong_value(const std::string& column, const char* wanted, const value& given) {
  std::string text =
      "the column '" + column + "' was asked for as " + wanted + ", and holds " + kind_of(given);
  if (const auto* number = std::get_if<std::int64_t>(&given)) {
    text += ": " + std::to_string(*number);
  }
  throw error(errc::type_mismatch, text);
}

}  // namespace detail

const value& row::at(std::size_t column) const {
  if (column >= values_.size()) {
    throw error(errc::bad_arguments, "column " + std::to_string(column) +
                                         " was asked for, and the row has " +
                                         std::to_string(values_.size()) + " columns");
  }
  return values_[column];
}

std::size_t row::index_of(std::string_view column) const {
  const auto found = std::find(columns_->begin(), columns_->end(), column);
  if (found != columns_->end()) return static_cast<std::size_t>(found - columns_->begin());
  std::string names;
  for (const std::string& each : *columns_) names += (names.empty() ? "" : ", ") + each;
  throw error(errc::bad_arguments, "the column '" + std::string(column) +
                                       "' was asked for, and the columns are: " + names);
}

}  // namespace msgbus::durable
