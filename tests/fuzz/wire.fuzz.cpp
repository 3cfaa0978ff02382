// What other processes send: payloads and headers of any bytes. They become a message, or an error
// that says so, and nothing else. What has become a message goes out and comes back the same.

#include <msgbus/detail/bridge/decode.hpp>
#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/error.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>

#include "bridge/standards.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace wire {

struct order {
  int id = 0;
  std::string item;
  std::vector<std::uint8_t> parts;
  friend bool operator==(const order&, const order&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id, item, parts)

}  // namespace wire

namespace {

using msgbus::codec;
using msgbus::encoding;
using msgbus::errc;
using wire::order;

void require(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s\n", sentence);
  std::abort();
}

template <class T>
void decode(std::string_view bytes, std::string_view content_type) {
  T value{};
  try {
    value = codec<T>::decode(bytes, content_type);
  } catch (const msgbus::error& e) {
    require(e.code() == errc::decode_failed, "what cannot be decoded says so");
    return;
  }
  for (const encoding how : {encoding::json, encoding::cbor}) {
    msgbus::payload made;
    try {
      made = codec<T>::encode(value, how);
    } catch (const msgbus::error& e) {
      require(e.code() == errc::encode_failed, "what cannot be encoded says so");
      continue;  // a text that CBOR can have and JSON cannot
    }
    require(codec<T>::decode(made.bytes, made.content_type) == value, "it comes back the same");
  }
}

void read_envelope(std::string_view bytes, std::string_view type, std::string_view trace) {
  static const msgbus::bridging::message_decoder readers[] = {
      msgbus::bridging::decoder_of<order>, msgbus::bridging::decoder_of<std::string>};
  static msgbus::bridging::id_source ids;
  msgbus::envelope from{.topic = "a", .payload = std::string(bytes)};
  if (!type.empty()) from.headers.emplace(msgbus::header::type, type);
  from.headers.emplace(msgbus::header::traceparent, trace);
  msgbus::detail::shared_origin origin =
      msgbus::bridging::origin_of(ids, std::move(from.headers), 1);
  require(!origin->message_id.empty(), "every message has an id");
  const std::string child = msgbus::bridging::child_trace(trace);
  require(child.empty() || child.size() == 55, "a trace context has its size");
  msgbus::headers odd{{std::string(type), std::string(trace)}, {"A", std::string(trace)}};
  msgbus::transport::make_sendable(odd);
  msgbus::transport::check_envelope({.topic = "a", .headers = odd});
  const msgbus::origin cause{
      .message_id = std::string(trace),
      .headers = {{"traceparent", std::string(trace)}, {"tracestate", std::string(type)}}};
  msgbus::transport::check_envelope(
      msgbus::bridging::make_envelope(ids, "a", {}, {}, msgbus::context::caused_by(&cause)));
  try {
    const auto made = msgbus::bridging::read(readers, {from, from.topic, origin, nullptr});
    require(made != nullptr, "a message was read");
  } catch (const msgbus::error& e) {
    require(e.code() == errc::decode_failed, "what cannot be read says so");
  }
  try {
    const std::string topic = msgbus::bridging::event_topic("events", type);
    require(topic.starts_with("events"), "an event's topic begins with the prefix");
  } catch (const msgbus::error& e) {
    require(e.code() == errc::invalid_topic, "what is no topic says so");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string_view content_type = data[0] % 2 == 0 ? "application/json" : "application/cbor";
  switch (data[0] / 2 % 6) {
    case 0: decode<order>(text, content_type); break;
    case 1: decode<std::tuple<int, std::string, bool>>(text, content_type); break;
    case 2: decode<std::uint8_t>(text, content_type); break;
    case 3: decode<std::map<std::string, std::vector<std::int64_t>>>(text, content_type); break;
    case 4: decode<std::string>(text, content_type); break;
    default: {
      const std::size_t cut = text.empty() ? 0 : data[1] % text.size();
      read_envelope(text.substr(cut), text.substr(0, cut), text.substr(cut / 2));
    }
  }
  return 0;
}
