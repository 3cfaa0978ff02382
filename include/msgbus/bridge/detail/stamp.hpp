#pragma once

/// The headers of what goes out, and what comes in made of them.

#include <msgbus/core/cause.hpp>
#include <msgbus/core/context.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace msgbus::bridging {

/// Makes ids that no other process makes. Thread-safe.
class id_source {
 public:
  id_source();
  [[nodiscard]] std::string next();

 private:
  const std::string prefix_;
  std::atomic<std::uint64_t> last_{0};
};

/// What goes with a payload.
struct stamping {
  std::string_view type;
  const context& about;  ///< names its cause
  header_form form = header_form::full;
  std::string_view source = {};      ///< of CloudEvents
  std::string_view message_id = {};  ///< empty: a new one
  bool is_stored = false;            ///< streams need an id
  bool is_request = false;           ///< its answer and what it leads to name its id
};

/// An envelope for a message that was made here.
[[nodiscard]] envelope stamped(id_source& ids, std::string topic, payload made,
                               const stamping& with);
[[nodiscard]] inline envelope stamped(id_source& ids, std::string topic, payload made,
                                      std::string_view type, const context& about) {
  return stamped(ids, std::move(topic), std::move(made), {.type = type, .about = about});
}

/// What came with an envelope of these headers. One without an id gets `else_id`.
[[nodiscard]] std::shared_ptr<origin> origin_of(headers&& received, unsigned times,
                                                std::string else_id);
/// The same; one without an id gets a new one.
[[nodiscard]] shared_origin origin_of(id_source& ids, headers&& received, unsigned times);

/// The header's value; empty if it is not there.
[[nodiscard]] std::string_view header_of(const headers& received, std::string_view name) noexcept;
[[nodiscard]] inline std::string_view header_of(const envelope& received,
                                                std::string_view name) noexcept {
  return header_of(received.headers, name);
}

/// A text as a header may have it: UTF-8 in one line, not too long, and not empty.
[[nodiscard]] std::string in_one_line(std::string_view text);

/// The topic of events of this name: what cannot stand in a topic becomes dots and dashes.
[[nodiscard]] std::string event_topic(std::string_view prefix, std::string_view name);

}  // namespace msgbus::bridging
