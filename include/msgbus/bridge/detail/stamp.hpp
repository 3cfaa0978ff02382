#pragma once

/// The headers of what goes out, and what comes in made of them.

#include <msgbus/core/cause.hpp>
#include <msgbus/core/context.hpp>
#include <msgbus/transport/codec.hpp>
#include <msgbus/transport/envelope.hpp>

#include <atomic>
#include <cstdint>
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

/// An envelope for a message that was made here; `about` names its cause.
[[nodiscard]] envelope stamped(id_source& ids, std::string topic, payload made,
                               std::string_view type, const context& about);

/// What came with an envelope of these headers. One without an id gets `else_id`.
[[nodiscard]] shared_origin origin_of(headers&& received, unsigned times, std::string else_id);
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
