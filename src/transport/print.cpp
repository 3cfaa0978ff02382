#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>
#include <msgbus/transport/transport.hpp>

#include "core/print.hpp"
#include "core/text.hpp"

#include <sstream>

namespace msgbus {

namespace {

constexpr std::size_t longest_payload = 200;

/// The beginning of the payload, and its size if it is longer.
std::string excerpt(std::string_view payload) {
  std::string text = detail::quoted(payload.substr(0, longest_payload));
  if (payload.size() > longest_payload) {
    text += "... of " + std::to_string(payload.size()) + " bytes";
  }
  return text;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, encoding value) {
  return out << detail::enumerator<encoding>(value, "encoding",
                                             {{encoding::json, "json"}, {encoding::cbor, "cbor"}});
}

std::ostream& operator<<(std::ostream& out, header_form value) {
  using enum header_form;
  return out << detail::enumerator<header_form>(
             value, "header_form",
             {{full, "full"}, {minimal, "minimal"}, {none, "none"}, {cloudevents, "cloudevents"}});
}

std::ostream& operator<<(std::ostream& out, const payload& value) {
  return out << detail::printed("payload")
                    .written("bytes", excerpt(value.bytes))
                    .member("content_type", value.content_type);
}

std::ostream& operator<<(std::ostream& out, const envelope& value) {
  std::ostringstream headers;
  headers << value.headers;
  return out << detail::printed("envelope")
                    .member("topic", value.topic)
                    .written("headers", headers.str())
                    .written("payload", excerpt(value.payload))
                    .member("reply_to", value.reply_to);
}

std::ostream& transport::operator<<(std::ostream& out, urgency value) {
  using enum urgency;
  return out << detail::enumerator<urgency>(value, "urgency",
                                            {{bulk, "bulk"}, {at_once, "at_once"}});
}

std::ostream& transport::operator<<(std::ostream& out, const features& value) {
  return out << detail::printed("features")
                    .member("durable", value.durable)
                    .member("persistent", value.persistent)
                    .member("holds_back", value.holds_back)
                    .member("away", value.away);
}

std::ostream& transport::operator<<(std::ostream& out, const stored_message& value) {
  std::ostringstream message;
  message << value.message;
  return out << detail::printed("stored_message")
                    .written("message", message.str())
                    .member("sequence", value.sequence);
}

std::ostream& transport::operator<<(std::ostream& out, const stored& value) {
  return out << detail::printed("stored")
                    .member("stream", value.stream)
                    .member("sequence", value.sequence)
                    .member("duplicate", value.duplicate);
}

}  // namespace msgbus
