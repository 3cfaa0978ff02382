#include <msgbus/detail/bridge/decode.hpp>

#include <msgbus/error.hpp>
#include "core/text.hpp"

#include <algorithm>

namespace msgbus::bridging {

namespace {

const reader& chosen(std::span<const reader> readers, const incoming& one) {
  const std::string_view type = header_of(one.origin->headers, header::type);
  if (type.empty() && readers.size() == 1) return readers.front();
  std::string names;
  for (const reader& each : readers) {
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

std::vector<reader> checked_readers(std::vector<reader> all) {
  for (auto one = all.begin(); one != all.end(); ++one) {
    const auto same = [&](const reader& other) { return other.type == one->type; };
    if (std::any_of(all.begin(), one, same)) {
      throw error(errc::bad_arguments, "two types of one link have the same name, '" +
                                           std::string(one->type) +
                                           "': give one of them another name (msgbus::name_of)");
    }
  }
  return all;
}

exec::shared_message read(std::span<const reader> readers, incoming&& one) {
  const reader& by = chosen(readers, one);
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
