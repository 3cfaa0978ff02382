#include "request.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "domain.hpp"
#include "json.hpp"
#include "json_text.hpp"

namespace exchange {

std::string shortened(const std::string& text) {
  constexpr std::size_t most = 60;
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

// Reads the events of nlohmann-json. Of a nested value, only its presence in the member is kept.
class request::reader {
 public:
  explicit reader(request& to) : to_(to) {}

  bool null() { return found({.text = "null"}); }
  bool boolean(bool value) {
    return found({.is = value::kind::boolean, .text = value ? "true" : "false"});
  }
  bool number_integer(json::number_integer_t value) {
    return found({.is = value::kind::integer, .integer = value, .text = {}});
  }
  bool number_unsigned(json::number_unsigned_t value) {
    constexpr auto largest = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (value <= largest) return number_integer(static_cast<std::int64_t>(value));
    return found({.is = value::kind::too_large, .text = std::to_string(value)});
  }
  bool number_float(json::number_float_t, const std::string& text) {
    return found({.is = value::kind::fraction, .text = text});
  }
  bool string(std::string& text) {
    return found({.is = value::kind::text, .text = std::move(text)});
  }
  bool binary(json::binary_t&) { return false; }  // not in texts
  bool start_object(std::size_t) {
    if (depth_ > 0) found({.is = value::kind::object, .text = {}});
    ++depth_;
    return true;
  }
  bool start_array(std::size_t) {
    found({.is = value::kind::array, .text = {}});
    ++depth_;
    return true;
  }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  bool key(std::string& name) {
    if (depth_ == 1) name_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: ..."
    const std::string_view text = error.what();
    const std::size_t begin = text.find("] ") == text.npos ? 0 : text.find("] ") + 2;
    throw refusal("malformed", "the line is not JSON: " + std::string(text.substr(begin, 200)));
  }

  /// If the line is no object.
  value whole;

 private:
  bool end() {
    --depth_;
    return true;
  }

  bool found(value&& parsed) {
    if (depth_ == 0) whole = std::move(parsed);
    if (depth_ != 1 || whole.is == value::kind::array) return true;
    // The last one counts, where there are several.
    const auto same = [&](const member& each) { return each.name == name_; };
    const auto before = std::find_if(to_.members_.begin(), to_.members_.end(), same);
    if (before != to_.members_.end()) {
      before->value = std::move(parsed);
    } else {
      to_.members_.push_back({std::move(name_), std::move(parsed)});
    }
    return true;
  }

  request& to_;
  std::string name_;
  int depth_ = 0;
};

request::request(std::string_view line) {
  members_.reserve(6);
  reader each(*this);
  each.whole.is = value::kind::object;
  json::sax_parse(line, &each);
  if (each.whole.is != value::kind::object) {
    throw refusal("bad_request", "a request must be a JSON object, not " + described(each.whole) +
                                     "; the line 'help' lists all requests");
  }
}

const std::string& request::text(const char* name) const {
  const value* const found = find(name);
  if (!found || found->is != value::kind::text) refuse(found, name, "a string");
  return found->text;
}

std::int64_t request::number(const char* name) const {
  const value* const found = find(name);
  if (!found || found->is != value::kind::integer) {
    refuse(found, name, "a whole number of at most 64 bits");
  }
  return found->integer;
}

std::string request::id() const {
  const value* const found = find("id");
  if (!found) return {};
  switch (found->is) {
    case value::kind::integer: return std::to_string(found->integer);
    case value::kind::too_large: return found->text;
    case value::kind::text: {
      std::string id;
      write(id, found->text);
      return id;
    }
    default: return {};
  }
}

std::string request::scraped_id(std::string_view line) {
  std::size_t at = line.find("\"id\"");
  if (at == std::string_view::npos) return {};
  at = line.find_first_not_of(" \t:", at + 4);
  if (at == std::string_view::npos) return {};
  std::size_t end = at;
  if (line[at] == '"') {
    end = line.find('"', at + 1);
    if (end == std::string_view::npos) return {};
    ++end;
  } else {
    while (end < line.size() && std::isdigit(static_cast<unsigned char>(line[end])) != 0) ++end;
  }
  const json id = json::parse(line.substr(at, end - at), nullptr, false);
  return id.is_discarded() ? std::string() : id.dump();
}

const request::value* request::find(std::string_view name) const {
  for (const member& each : members_) {
    if (each.name == name) return &each.value;
  }
  return nullptr;
}

// A value as a sentence names it.
std::string request::described(const value& of) {
  switch (of.is) {
    case value::kind::object: return "an object";
    case value::kind::array: return "an array";
    case value::kind::text: {
      std::string text;
      write(text, of.text);
      return "the string " + shortened(text);
    }
    case value::kind::integer: return "the number " + std::to_string(of.integer);
    case value::kind::too_large:
    case value::kind::fraction: return "the number " + shortened(of.text);
    case value::kind::null:
    case value::kind::boolean: break;
  }
  return of.text;
}

void request::refuse(const value* found, const char* name, const char* wanted) {
  if (!found) {
    throw refusal("bad_request",
                  std::string("the request has no '") + name + "', which must be " + wanted);
  }
  throw refusal("bad_request",
                std::string("'") + name + "' must be " + wanted + ", not " + described(*found));
}

}  // namespace exchange
