#pragma once

/// The names of all metrics, in one table. A counter has `_total` behind its name.

namespace msgbus::detail {

struct metric {
  const char* name;
  const char* help;  // without line ends and backslashes
  bool is_counter;
};

inline constexpr metric offered{"msgbus_offered_messages",
                                "Messages that were sent to the component.", true};
inline constexpr metric rejected{
    "msgbus_rejected_messages",
    "Messages that the component refused: its mailbox was full, or it was closed.", true};
inline constexpr metric handled{
    "msgbus_handled_messages",
    "Accepted messages by outcome: handled, failed, dropped or abandoned.", true};
inline constexpr metric unrouted{"msgbus_unrouted_messages", "Messages without a handler.", true};
inline constexpr metric overran{"msgbus_overran_attempts",
                                "Attempts of handlers that took longer than their timeout.", true};
inline constexpr metric waiting{"msgbus_mailbox_messages", "Messages that wait in the mailbox.",
                                false};
inline constexpr metric capacity{"msgbus_mailbox_capacity",
                                 "Messages that may wait in the mailbox.", false};
inline constexpr metric in_flight{"msgbus_in_flight", "Messages that are being handled.", false};
inline constexpr metric breaker_state{
    "msgbus_breaker_state", "1 for the state that the circuit breaker is in, 0 for the others.",
    false};
inline constexpr metric link_messages{
    "msgbus_link_messages", "Messages of a link between processes, by what became of them.", true};
inline constexpr metric link_now{"msgbus_link_current_messages",
                                 "Messages that a link has now, by state.", false};

}  // namespace msgbus::detail
