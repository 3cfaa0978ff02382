#include "bridge/stored_letter.hpp"

#include <msgbus/detail/bridge/make_envelope.hpp>

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace msgbus::bridging {

namespace {

/// A number of digits only.
std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [read_to, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc() || read_to != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Headers that the dead letter has, and the message had not.
constexpr std::array added_headers{
    header::message_id,   header::causation_id, header::attempt,          header::dead_reason,
    header::dead_topic,   header::dead_stream,  header::dead_durable,     header::dead_sequence,
    header::dead_missing, header::dead_size,    header::dead_causation_id};

std::string missing_in(const headers& all) {
  const std::string_view size = header_of(all, header::dead_size);
  if (!size.empty()) return "payload of " + std::string(size) + " bytes";
  return std::string(header_of(all, header::dead_missing));
}

}  // namespace

std::string why_no_letter(const transport::stored_message& one) {
  const headers& all = one.message.headers;
  for (const std::string_view name :
       {header::dead_reason, header::dead_topic, header::dead_stream, header::dead_durable}) {
    if (header_of(all, name).empty()) return "has no header '" + std::string(name) + "'";
  }
  const std::string_view sequence = header_of(all, header::dead_sequence);
  if (whole_number(sequence)) return {};
  return "has '" + detail::shortened(sequence, 40) + "' in its header '" +
         std::string(header::dead_sequence) + "', which is no number";
}

stored_dead_letter read_letter(transport::stored_message one) {
  const headers& all = one.message.headers;
  stored_dead_letter letter;
  letter.id = one.sequence;
  letter.message = header_of(all, header::type);
  letter.reason = header_of(all, header::dead_reason);
  letter.attempts =
      static_cast<std::size_t>(whole_number(header_of(all, header::attempt)).value_or(0));
  letter.at = one.at;
  letter.topic = header_of(all, header::dead_topic);
  letter.message_id = header_of(all, header::causation_id);
  letter.stream = header_of(all, header::dead_stream);
  letter.durable = header_of(all, header::dead_durable);
  letter.handler = link_name(letter.stream, letter.durable);
  letter.sequence = whole_number(header_of(all, header::dead_sequence)).value_or(0);
  letter.missing = missing_in(all);
  for (const auto& [name, value] : all) {
    if (std::ranges::find(added_headers, std::string_view(name)) == added_headers.end()) {
      letter.headers.add(name, value);
    }
  }
  if (!letter.message_id.empty()) letter.headers.add(header::message_id, letter.message_id);
  const std::string_view cause = header_of(all, header::dead_causation_id);
  if (!cause.empty()) letter.headers.add(header::causation_id, cause);
  letter.payload = std::move(one.message.payload);
  return letter;
}

envelope message_of(const stored_dead_letter& letter) {
  envelope message{letter.topic};
  message.headers = letter.headers;
  message.payload = letter.payload;
  return message;
}

std::string link_name(std::string_view stream, std::string_view durable) {
  return "durable '" + std::string(durable) + "' of stream '" + std::string(stream) + "'";
}

// --- Replays. ------------------------------------------------------------------------------------

std::string replay_topic(std::string_view stream, std::string_view durable) {
  std::string topic(replay_prefix);
  for (const std::string_view each : {stream, durable}) (topic += '.') += each;
  return topic;
}

std::string write_request(const letter_position& of) {
  return of.stream + ' ' + std::to_string(of.sequence);
}

std::optional<letter_position> read_request(std::string_view text) {
  const std::size_t blank = text.rfind(' ');
  if (blank == std::string_view::npos || blank == 0) return std::nullopt;
  const std::optional<std::uint64_t> sequence = whole_number(text.substr(blank + 1));
  if (!sequence) return std::nullopt;
  return letter_position{std::string(text.substr(0, blank)), *sequence};
}

namespace {

constexpr std::string_view said_handled = "handled";
constexpr std::string_view said_failed = "failed";
constexpr std::string_view said_stays = "stays: ";

}  // namespace

std::string write_result(const replay_result& of) {
  switch (of.end) {
    case replay_end::handled: return std::string(said_handled);
    case replay_end::failed: return std::string(said_failed);
    case replay_end::stays: break;
  }
  return std::string(said_stays) + of.why;
}

replay_result read_result(std::string_view text) {
  if (text == said_handled) return {replay_end::handled, {}};
  if (text == said_failed) return {replay_end::failed, {}};
  if (text.starts_with(said_stays)) {
    return {replay_end::stays, std::string(text.substr(said_stays.size()))};
  }
  return {replay_end::stays, "its link has answered '" + detail::shortened(text, 40) + "'"};
}

}  // namespace msgbus::bridging
