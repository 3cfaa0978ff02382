#include "message_format.hpp"

#include <msgbus/error.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

namespace msgbus::nats {

// --- Headers. ------------------------------------------------------------------------------------

namespace {

constexpr std::string_view colon = ": ";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view first_line = "NATS/1.0\r\n";

char* put(char* at, std::string_view text) noexcept {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

// As nats.c: `isspace` in the C locale.
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes the next line from the block. False if it is no name with a value.
bool take_line(std::string_view& block, headers& into) {
  const std::size_t end = block.find('\n');
  if (end == std::string_view::npos || end == 0 || block[end - 1] != '\r') return false;
  const std::string_view line = block.substr(0, end - 1);
  const std::size_t after_name = line.find(':');
  if (after_name == std::string_view::npos || after_name == 0 || is_space(line.front())) {
    return false;
  }
  into.add(line.substr(0, after_name), without_blanks(line.substr(after_name + 1)));
  block.remove_prefix(end + 1);
  return true;
}

}  // namespace

joined_headers::joined_headers(const headers& all) {
  assert(!all.empty() && "msgbus: no headers cannot be one");
  std::size_t size = 1;
  for (const auto& [name, value] : all) {
    size += name.size() + colon.size() + value.size() + line_end.size();
  }
  char* at = inside_.data();
  if (size > inside_.size()) {
    outside_.resize(size);
    at = outside_.data();
  }
  name_ = at;
  std::size_t left = all.size();
  for (const auto& [name, value] : all) {
    at = put(at, name);
    if (--left == 0) {
      value_ = value.c_str();
    } else {
      at = put(put(put(at, colon), value), line_end);
    }
  }
  *at = '\0';
}

bool read_header_block(std::string_view block, headers& into) {
  into.clear();
  if (!block.starts_with(first_line) || block.find('\0') != std::string_view::npos) return false;
  block.remove_prefix(first_line.size());
  while (block != line_end) {
    if (take_line(block, into)) continue;
    into.clear();
    return false;
  }
  return true;
}

// --- Messages of a stream. -----------------------------------------------------------------------

json message_request(std::uint64_t sequence) { return {{"seq", sequence}}; }

json next_message_request(std::uint64_t from) {
  return {{"seq", std::max<std::uint64_t>(from, 1)}, {"next_by_subj", ">"}};
}

json erase_request(std::uint64_t sequence) { return {{"seq", sequence}, {"no_erase", true}}; }

namespace {

using bytes_by_letter = std::array<std::uint8_t, 256>;
constexpr std::uint8_t no_letter = 64;

constexpr bytes_by_letter make_letters() {
  constexpr std::string_view all =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  bytes_by_letter made{};
  for (std::uint8_t& each : made) each = no_letter;
  for (std::size_t i = 0; i < all.size(); ++i) {
    made[static_cast<unsigned char>(all[i])] = static_cast<std::uint8_t>(i);
  }
  return made;
}

constexpr bytes_by_letter letters = make_letters();

}  // namespace

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  const std::string_view coded = text.substr(0, text.size() - padding);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : coded) {
    const std::uint8_t value = letters[static_cast<unsigned char>(c)];
    if (value == no_letter) return std::nullopt;
    bits = (bits << 6U) | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 255U);
  }
  return bytes;
}

namespace {

/// Takes a number of so many digits, and what follows it.
bool take_number(std::string_view& text, std::size_t digits, std::string_view then, int& into) {
  if (text.size() < digits + then.size()) return false;
  const char* const first = std::to_address(text.begin());
  const char* const end = first + digits;
  const auto [read_to, wrong] = std::from_chars(first, end, into);
  if (wrong != std::errc() || read_to != end || into < 0) return false;
  text.remove_prefix(digits);
  if (!text.starts_with(then)) return false;
  text.remove_prefix(then.size());
  return true;
}

/// Takes up to nine digits after a dot.
bool take_fraction(std::string_view& text, std::chrono::nanoseconds& into) {
  into = {};
  if (!text.starts_with('.')) return true;
  text.remove_prefix(1);
  std::int64_t unit = 1'000'000'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && unit > 1) {
    unit /= 10;
    into += std::chrono::nanoseconds((text.front() - '0') * unit);
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> read_time(std::string_view text) noexcept {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::chrono::nanoseconds fraction{};
  const bool is_time = take_number(text, 4, "-", year) && take_number(text, 2, "-", month) &&
                       take_number(text, 2, "T", day) && take_number(text, 2, ":", hour) &&
                       take_number(text, 2, ":", minute) && take_number(text, 2, "", second) &&
                       take_fraction(text, fraction) && text == "Z";
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!is_time || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto at = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction;
  return std::chrono::time_point_cast<std::chrono::system_clock::duration>(at);
}

namespace {

/// The bytes of a member in base64; none if it is not there.
std::string bytes_of(const json& message, const char* name, const std::string& text) {
  const auto found = message.find(name);
  if (found == message.end() || found->is_null()) return {};
  const auto* const coded = found->get_ptr<const json::string_t*>();
  std::optional<std::string> bytes = coded ? from_base64(*coded) : std::nullopt;
  if (bytes) return std::move(*bytes);
  throw error(errc::transport_failed, text + ": the answer's '" + name + "' is not base64");
}

}  // namespace

transport::stored_message read_message(const json& answer, const std::string& text) {
  const auto found = answer.find("message");
  if (found == answer.end() || !found->is_object()) {
    throw error(errc::transport_failed, text + ": the answer has no message");
  }
  const json& message = *found;
  const auto subject = message.find("subject");
  const auto sequence = message.find("seq");
  if (subject == message.end() || !subject->is_string() || sequence == message.end() ||
      !sequence->is_number_unsigned()) {
    throw error(errc::transport_failed, text + ": a message without 'subject' or 'seq'");
  }
  transport::stored_message result;
  result.message.topic = subject->get<std::string>();
  result.sequence = sequence->get<std::uint64_t>();
  result.message.payload = bytes_of(message, "data", text);
  const std::string block = bytes_of(message, "hdrs", text);
  // Of a block that other programs have written in another way, no header is read.
  if (!block.empty()) (void)read_header_block(block, result.message.headers);
  const auto time = message.find("time");
  const auto* const said = time == message.end() ? nullptr : time->get_ptr<const json::string_t*>();
  if (said) result.at = read_time(*said).value_or(result.at);
  return result;
}

}  // namespace msgbus::nats
