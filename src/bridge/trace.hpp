#pragma once

// The spans of bridges. Their treatment of W3C Trace Context is in `standards.hpp`.

#include <msgbus/detail/bridge/hub.hpp>

#include "observe/active_span.hpp"

#include <string_view>

namespace msgbus::bridging {

/// A span of a message that goes to another process, and the cause that the message is sent with.
/// Without a tracer, or if it is not sampled, that is the one which is given.
struct outbound_span {
  msgbus::detail::shared_span span;
  shared_origin cause;
  context ctx;
};
[[nodiscard]] outbound_span begin_outbound(const hub& over, span_kind kind,
                                           std::string_view operation, std::string_view topic,
                                           const context& ctx);
/// The span ends when the message is stored, or is not.
[[nodiscard]] asio::awaitable<transport::stored> end_with(
    msgbus::detail::shared_span span, asio::awaitable<transport::stored> storing);
/// Its duration is measured.
[[nodiscard]] asio::awaitable<transport::stored> measured(
    std::shared_ptr<hub> by, asio::awaitable<transport::stored> storing);
/// The span of the settling of a message with this origin; it ends when it is destroyed. None if
/// the message has no trace.
[[nodiscard]] msgbus::detail::shared_span begin_settling(const hub& over,
                                                         std::string_view operation,
                                                         std::string_view topic,
                                                         const origin* settled) noexcept;

}  // namespace msgbus::bridging
