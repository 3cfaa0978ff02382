#include <msgbus/transport/codec.hpp>

#include "core/text.hpp"

#include <cmath>
#include <cstdint>
#include <string>

namespace msgbus::detail {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view cbor_type = "application/cbor";
constexpr std::size_t longest_excerpt = 120;

/// The media type in lower case (names are not case-sensitive, RFC 9110), without parameters such
/// as a character set, which have no meaning for these types (RFC 8259).
std::string media_type(std::string_view content_type) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && is_blank(content_type.front())) content_type.remove_prefix(1);
  while (!content_type.empty() && is_blank(content_type.back())) content_type.remove_suffix(1);
  std::string media(content_type);
  for (char& c : media) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return media;
}

/// The reason why this value cannot be written, as a predicate for "its value ..."; null if it can
/// be. Does not check nested values. Without this check, the encoder would write another value, or
/// none, without an error.
const char* why_not_writable(const nlohmann::json& value, encoding wanted) {
  using kind = nlohmann::json::value_t;
  switch (value.type()) {
    case kind::discarded: return "is none: it is the result of a parser that failed";
    case kind::number_float: {
      if (wanted == encoding::cbor || std::isfinite(value.get<double>())) return nullptr;
      return "is not a finite number, and JSON has no other ones (CBOR does)";
    }
    case kind::binary:
      if (wanted == encoding::json) return "is binary, which JSON does not have (CBOR does)";
      return value.get_binary().has_subtype() ? "is binary with a subtype, which is not read again"
                                              : nullptr;
    case kind::string:
      return detail::find_not_utf8(value.get_ref<const std::string&>()) == std::string::npos
                 ? nullptr
                 : "is a text that is not UTF-8";
    default: return nullptr;
  }
}

/// A value that cannot be written.
struct unwritable {
  std::string path;  // a JSON pointer (RFC 6901); empty: the whole message
  const char* why = nullptr;
};

std::string pointer_token(std::string_view key) {
  std::string token = "/";
  for (const char c : detail::to_utf8(key)) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

/// Finds the first unwritable value. Texts are checked only with `and_texts`: the encoder finds
/// them itself, but does not report their path.
bool find_unwritable(const nlohmann::json& in, encoding wanted, bool and_texts, unwritable& found) {
  if (in.is_object()) {
    for (const auto& [key, value] : in.get_ref<const nlohmann::json::object_t&>()) {
      if (and_texts && detail::find_not_utf8(key) != std::string::npos) {
        found.why = "has a name that is not UTF-8";
      } else if (!find_unwritable(value, wanted, and_texts, found)) {
        continue;
      }
      found.path.insert(0, pointer_token(key));
      return true;
    }
    return false;
  }
  if (in.is_array()) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!find_unwritable(in[i], wanted, and_texts, found)) continue;
      found.path.insert(0, "/" + std::to_string(i));
      return true;
    }
    return false;
  }
  if (in.is_string() && !and_texts) return false;
  found.why = why_not_writable(in, wanted);
  return found.why != nullptr;
}

[[noreturn]] void throw_not_encoded(std::string_view type, const std::string& why) {
  throw error(errc::encode_failed,
              "a message of type " + std::string(type) + " cannot be written: " + why);
}

void check_writable(const nlohmann::json& from, encoding wanted, bool and_texts,
                    std::string_view type) {
  unwritable found;
  if (!find_unwritable(from, wanted, and_texts, found)) return;
  const std::string where =
      found.path.empty() ? std::string("its value ") : "its member " + found.path + " ";
  throw_not_encoded(type, where + found.why);
}

/// Reads no values, and stops if they are nested too deeply. CBOR is read by recursion, whose depth
/// must not depend on the sender.
class depth_check : public nlohmann::json_sax<nlohmann::json> {
 public:
  [[nodiscard]] bool is_too_deep() const noexcept { return too_deep_; }

  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool key(string_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;  // the reader finds and reports it again
  }

 private:
  static constexpr int deepest = 200;
  bool enter() noexcept {
    too_deep_ = ++depth_ > deepest;
    return !too_deep_;
  }
  bool leave() noexcept {
    --depth_;
    return true;
  }
  int depth_ = 0;
  bool too_deep_ = false;
};

nlohmann::json read_cbor(std::string_view bytes, std::string_view type) {
  depth_check depth;
  nlohmann::json::sax_parse(bytes.begin(), bytes.end(), &depth,
                            nlohmann::json::input_format_t::cbor);
  if (depth.is_too_deep()) throw_not_decoded(type, "its values are nested too deeply");
  return nlohmann::json::from_cbor(bytes);
}

}  // namespace

namespace {

// Results and single arguments are often integers. nlohmann-json makes a parser or a writer with
// memory of its own for each.

std::string digits_of(const nlohmann::json& integer) {
  return integer.is_number_unsigned() ? std::to_string(integer.get<std::uint64_t>())
                                      : std::to_string(integer.get<std::int64_t>());
}

/// False, and nothing is read, if it is anything else than an integer as it is written everywhere.
bool read_digits(std::string_view text, nlohmann::json& into) {
  constexpr std::size_t most = 18;  // that fit for sure
  const bool is_negative = text.starts_with('-');
  const std::string_view digits = text.substr(is_negative ? 1 : 0);
  if (digits.empty() || digits.size() > most) return false;
  if (digits.front() == '0' && text.size() > 1) return false;
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  if (is_negative) {
    into = -value;
  } else {
    into = static_cast<std::uint64_t>(value);
  }
  return true;
}

nlohmann::json parse(std::string_view bytes) {
  nlohmann::json read;
  if (!read_digits(bytes, read)) read = nlohmann::json::parse(bytes);
  return read;
}

}  // namespace

std::string write_json(const nlohmann::json& from, encoding wanted, std::string_view type) {
  if (wanted == encoding::json && from.is_number_integer()) return digits_of(from);
  check_writable(from, wanted, false, type);
  try {
    if (wanted == encoding::json) return from.dump();
    std::string bytes;
    nlohmann::json::to_cbor(from, bytes);
    return bytes;
  } catch (const nlohmann::json::exception& e) {
    check_writable(from, wanted, true, type);
    throw_not_encoded(type, e.what());
  }
}

nlohmann::json read_json(std::string_view bytes, std::string_view content_type,
                         std::string_view type) {
  try {
    if (content_type.empty() || content_type == json_type) return parse(bytes);
    const std::string media = media_type(content_type);
    if (media.empty() || media == json_type) return parse(bytes);
    if (media == cbor_type) return read_cbor(bytes, type);
  } catch (const nlohmann::json::exception& e) {
    throw_not_decoded(type, e.what());
  }
  throw error(errc::decode_failed, "a message of type " + std::string(type) +
                                       " is read from application/json or application/cbor, not '" +
                                       detail::shortened(content_type, longest_excerpt) + "'");
}

void throw_not_decoded(std::string_view type, const char* why) {
  throw error(errc::decode_failed, "no " + std::string(type) + " can be read from the payload: " +
                                       detail::shortened(why, longest_excerpt));
}

void throw_wrong_json(std::string_view type, const char* wanted, const nlohmann::json& given) {
  // Nested values are not shown: they are written by recursion, and may be nested deeply.
  const std::string there =
      given.is_structured() ? std::string("an ") + given.type_name()
                            : given.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  throw error(errc::decode_failed, std::string(type) + " is read from " + wanted + ", not from " +
                                       detail::shortened(there, longest_excerpt));
}

}  // namespace msgbus::detail
