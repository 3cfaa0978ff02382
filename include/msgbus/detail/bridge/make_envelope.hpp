#pragma once

/// Makes the headers of outbound messages, and reads those of received ones.

#include <msgbus/context.hpp>
#include <msgbus/detail/core/cause.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus::bridging {

/// Makes ids that are unique across processes. Thread-safe.
class id_source {
 public:
  id_source();
  [[nodiscard]] std::string next();

 private:
  std::array<char, 11> prefix_;  // as many as 64 bits need
  std::atomic<std::uint64_t> last_{0};
};

/// The metadata for an encoded message.
struct envelope_metadata {
  std::string_view type;
  const context& ctx;  ///< with its cause
  header_form form = header_form::full;
  std::string_view source = {};      ///< of CloudEvents
  std::string_view message_id = {};  ///< empty: a new one
  bool is_stored = false;            ///< streams need an id
  bool is_request = false;           ///< its reply and the messages that it causes have its id
};

/// An envelope that reuses the memory of this thread's last one, and still has its content. A
/// transport may call code that sends again: that send gets memory of its own.
class reused_envelope {
 public:
  reused_envelope() noexcept;
  reused_envelope(const reused_envelope&) = delete;
  reused_envelope& operator=(const reused_envelope&) = delete;
  ~reused_envelope();

  [[nodiscard]] envelope& get() noexcept { return used_; }

 private:
  struct of_thread;
  envelope own_;
  envelope& used_;
};

/// An envelope for a message of this process, in the memory of a former one.
void make_envelope(envelope& into, id_source& ids, std::string_view topic, detail::encoded made,
                   const envelope_metadata& with);
/// A new one.
[[nodiscard]] envelope make_envelope(id_source& ids, std::string topic, detail::encoded made,
                                     const envelope_metadata& with);
[[nodiscard]] inline envelope make_envelope(id_source& ids, std::string topic, detail::encoded made,
                                            std::string_view type, const context& ctx) {
  return make_envelope(ids, std::move(topic), std::move(made), {.type = type, .ctx = ctx});
}

/// The origin in the headers of an envelope. Without an id, it gets `else_id`.
[[nodiscard]] std::shared_ptr<origin> origin_of(headers&& received, unsigned times,
                                                std::string else_id);
/// As above; without an id, it gets a new one.
[[nodiscard]] shared_origin origin_of(id_source& ids, headers&& received, unsigned times);

/// The value of the header, or an empty text.
[[nodiscard]] std::string_view header_of(const headers& received, std::string_view name) noexcept;
[[nodiscard]] inline std::string_view header_of(const envelope& received,
                                                std::string_view name) noexcept {
  return header_of(received.headers, name);
}

/// The remaining time in a request, in whole milliseconds; empty without the header, or if it is
/// not a number.
[[nodiscard]] std::optional<std::chrono::milliseconds> time_left_in(
    const headers& received) noexcept;

/// The text in a form for headers: UTF-8 in one line, of limited length, not empty.
[[nodiscard]] std::string in_one_line(std::string_view text);

/// The topic of events with this name: characters that a topic cannot have become dots and dashes.
[[nodiscard]] std::string event_topic(std::string_view prefix, std::string_view name);

}  // namespace msgbus::bridging
