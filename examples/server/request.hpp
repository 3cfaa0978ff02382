#pragma once

/// A request as it was read: the members of one JSON object. No tree is made of it, since that
/// would cost more than to carry most requests out.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exchange {

class request {
 public:
  /// Throws a `refusal`: `malformed` if the line is not JSON, and `bad_request` if it is no object.
  explicit request(std::string_view line);

  // The member of this name. Throw the refusal `bad_request`, which says why, if there is none of
  // this kind.

  [[nodiscard]] const std::string& text(const char* name) const;
  [[nodiscard]] std::int64_t number(const char* name) const;

  /// The id as JSON: a whole number or a string. Empty if there is none.
  [[nodiscard]] std::string id() const;

  /// The same of a line that may not even be JSON: what a client needs to know which of its
  /// requests that was.
  [[nodiscard]] static std::string scraped_id(std::string_view line);

 private:
  struct value {
    enum class kind { null, boolean, integer, too_large, fraction, text, object, array };
    kind is = kind::null;
    std::int64_t integer = 0;
    std::string text;  // of a string; of other values but whole numbers, as they were read
  };
  struct member {
    std::string name;
    request::value value;
  };
  class reader;

  [[nodiscard]] const value* find(std::string_view name) const;
  [[nodiscard]] static std::string described(const value& of);
  [[noreturn]] static void refuse(const value* found, const char* name, const char* wanted);

  std::vector<member> members_;
};

/// Of a text that may be long, its beginning.
[[nodiscard]] std::string shortened(const std::string& text);

}  // namespace exchange
