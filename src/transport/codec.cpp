#include <msgbus/transport/codec.hpp>

namespace msgbus::detail {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view cbor_type = "application/cbor";

/// Without parameters such as a character set.
std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.remove_suffix(1);
  return content_type;
}

/// Reads nothing, and stops where values are nested too deeply: CBOR is read by recursion, and what
/// others send must not decide how deep that goes.
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
    return false;  // it is found again, and said, by whoever reads it
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

std::string shortened(std::string text) {
  constexpr std::size_t most = 120;
  if (text.size() > most) text = text.substr(0, most) + "...";
  return text;
}

}  // namespace

payload write_json(const nlohmann::json& from, encoding wanted, std::string_view type) {
  payload made;
  try {
    if (wanted == encoding::cbor) {
      nlohmann::json::to_cbor(from, made.bytes);
      made.content_type = cbor_type;
    } else {
      made.bytes = from.dump();
      made.content_type = json_type;
    }
  } catch (const nlohmann::json::exception& e) {
    throw error(errc::encode_failed,
                "a message of type " + std::string(type) + " cannot be written: " + e.what());
  }
  return made;
}

nlohmann::json read_json(std::string_view bytes, std::string_view content_type,
                         std::string_view type) {
  const std::string_view media = media_type(content_type);
  try {
    if (media.empty() || media == json_type) return nlohmann::json::parse(bytes);
    if (media == cbor_type) return read_cbor(bytes, type);
  } catch (const nlohmann::json::exception& e) {
    throw_not_decoded(type, e.what());
  }
  throw error(errc::decode_failed, "a message of type " + std::string(type) +
                                       " is read from application/json or application/cbor, not '" +
                                       std::string(content_type) + "'");
}

void throw_not_decoded(std::string_view type, const char* why) {
  throw error(errc::decode_failed,
              "no " + std::string(type) + " can be read from the payload: " + shortened(why));
}

void throw_wrong_json(std::string_view type, const char* wanted, const nlohmann::json& given) {
  // What is nested is written by recursion, and may be nested deeply.
  const std::string there =
      given.is_structured() ? std::string("an ") + given.type_name()
                            : given.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  throw error(errc::decode_failed,
              std::string(type) + " is read from " + wanted + ", not from " + shortened(there));
}

}  // namespace msgbus::detail
