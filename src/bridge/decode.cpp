#include <msgbus/detail/bridge/decode.hpp>

#include <msgbus/error.hpp>
#include "core/text.hpp"

#include <algorithm>

namespace msgbus::bridging {

namespace {

const message_decoder& chosen(std::span<const message_decoder> decoders, const incoming& one) {
  const std::string_view type = header_of(one.origin->headers, header::type);
  if (type.empty() && decoders.size() == 1) return decoders.front();
  std::string names;
  for (const message_decoder& each : decoders) {
    if (each.type == type) return each;
    names += (names.empty() ? "" : ", ") + std::string(each.type);
  }
  throw error(errc::decode_failed,
              "a message on '" + one.from.topic + "' " +
                  (type.empty() ? "has no type header"
                                : "is of type '" + detail::shortened(type, 120) + "'") +
                  "; types that this link accepts: " + names);
}

}  // namespace

std::vector<message_decoder> checked_decoders(std::vector<message_decoder> all) {
  for (auto one = all.begin(); one != all.end(); ++one) {
    const auto same = [&](const message_decoder& other) { return other.type == one->type; };
    if (std::any_of(all.begin(), one, same)) {
      throw error(errc::bad_arguments, "two types of one link have the same name, '" +
                                           std::string(one->type) +
                                           "': give one of them another name (msgbus::name_of)");
    }
  }
  return all;
}

exec::shared_message read(std::span<const message_decoder> decoders, incoming&& one) {
  const message_decoder& by = chosen(decoders, one);
  const std::string& topic = one.from.topic;
  try {
    return by.read(std::move(one));
  } catch (const error& e) {
    if (e.code() == errc::decode_failed) {
      throw error(errc::decode_failed, "a message on '" + topic + "': " + e.what());
    }
    throw error(errc::decode_failed, "a message on '" + topic + "' cannot be read as " +
                                         std::string(by.type) + ": " + e.what());
  } catch (...) {
    throw error(errc::decode_failed, "a message on '" + topic + "' cannot be read as " +
                                         std::string(by.type) + ": " +
                                         describe(std::current_exception()));
  }
}

}  // namespace msgbus::bridging
