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
    if (media == cbor_type) return nlohmann::json::from_cbor(bytes);
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
  const std::string there = given.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  throw error(errc::decode_failed,
              std::string(type) + " is read from " + wanted + ", not from " + shortened(there));
}

}  // namespace msgbus::detail
