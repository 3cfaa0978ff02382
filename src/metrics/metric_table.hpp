#pragma once

/// The names of all metrics, in one table: for Prometheus, then those of OpenTelemetry's
/// conventions, whose attributes are in `observe/trace_table.hpp`. A counter of Prometheus has
/// `_total` behind its name.

namespace msgbus::detail {

enum class instrument { counter, gauge, histogram };

struct metric {
  const char* name;
  const char* help;  // without line ends and backslashes
  instrument kind;
  bool in_seconds = false;  // given in nanoseconds
};

struct convention {
  const char* name;
  const char* unit;
  const char* help;
};

// Apart, since `handled` and others are names of much else.
namespace metric_table {

inline constexpr metric offered{"msgbus_offered_messages",
                                "Messages that were sent to the component.", instrument::counter};
inline constexpr metric rejected{
    "msgbus_rejected_messages",
    "Messages that the component refused: its mailbox was full, or it was closed.",
    instrument::counter};
inline constexpr metric handled{
    "msgbus_handled_messages",
    "Accepted messages by outcome: handled, failed, dropped or abandoned.", instrument::counter};
inline constexpr metric unrouted{"msgbus_unrouted_messages", "Messages without a handler.",
                                 instrument::counter};
inline constexpr metric overran{"msgbus_overran_attempts",
                                "Attempts of handlers that took longer than their timeout.",
                                instrument::counter};
inline constexpr metric waiting{"msgbus_mailbox_messages", "Messages that wait in the mailbox.",
                                instrument::gauge};
inline constexpr metric capacity{"msgbus_mailbox_capacity",
                                 "Messages that may wait in the mailbox.", instrument::gauge};
inline constexpr metric in_flight{"msgbus_in_flight", "Messages that are being handled.",
                                  instrument::gauge};
inline constexpr metric scheduled{"msgbus_scheduled_messages",
                                  "Messages that are to be sent later.", instrument::gauge};
inline constexpr metric oldest_waiting{
    "msgbus_oldest_waiting_seconds",
    "Time that the oldest waiting message has waited, among those that are measured.",
    instrument::gauge, true};
inline constexpr metric wait_duration{"msgbus_wait_duration_seconds",
                                      "Time of messages in the mailbox.", instrument::histogram,
                                      true};
inline constexpr metric handle_duration{"msgbus_handle_duration_seconds",
                                        "Time that handlers took, attempts and pauses included.",
                                        instrument::histogram, true};
inline constexpr metric limiter_waiting{"msgbus_limiter_waiting_messages",
                                        "Messages that wait for a permit of the rate limiter.",
                                        instrument::gauge};
inline constexpr metric dead_letters{"msgbus_dead_letters", "Dead letters that the store keeps.",
                                     instrument::gauge};
inline constexpr metric dead_letter_messages{
    "msgbus_dead_letter_messages",
    "Dead letters so far: added, and of these replayed, discarded or dropped.",
    instrument::counter};
inline constexpr metric breaker_state{
    "msgbus_breaker_state", "1 for the current state of the circuit breaker, 0 for the others.",
    instrument::gauge};
inline constexpr metric link_messages{"msgbus_link_messages",
                                      "Messages of a link between processes, by outcome.",
                                      instrument::counter};
inline constexpr metric observed_steps{"msgbus_observed_steps",
                                       "Steps of messages that a counting observer has seen.",
                                       instrument::counter};
inline constexpr metric durable_transactions{
    "msgbus_durable_transactions", "Transactions of a durable database, committed or failed.",
    instrument::counter};
inline constexpr metric durable_messages{
    "msgbus_durable_messages", "Messages of a durable database, by outcome.", instrument::counter};
inline constexpr metric durable_commits{
    "msgbus_durable_commits",
    "Commits of a durable database, by the largest number of transactions in a group.",
    instrument::counter};
inline constexpr metric durable_in_flight{
    "msgbus_durable_in_flight", "Messages of a durable database in memory.", instrument::gauge};
inline constexpr metric durable_dead_letters{"msgbus_durable_dead_letters",
                                             "Dead letters in the file of a durable database.",
                                             instrument::gauge};
inline constexpr metric durable_waiting{
    "msgbus_durable_waiting_messages",
    "Messages that wait for a destination in the file of a durable database.", instrument::gauge};
inline constexpr metric durable_scheduled{"msgbus_durable_scheduled_messages",
                                          "Of those that wait, the messages that are not due yet.",
                                          instrument::gauge};
inline constexpr metric durable_oldest{
    "msgbus_durable_oldest_seconds",
    "Time since the commit of the oldest message that waits for a destination.", instrument::gauge,
    true};
inline constexpr metric operation_duration{
    "msgbus_client_operation_duration_seconds",
    "Time that a bridge took to send or store a message, or to call a remote service.",
    instrument::histogram, true};
inline constexpr metric link_now{"msgbus_link_current_messages",
                                 "Messages that a link has now, by state.", instrument::gauge};

// --- OpenTelemetry's conventions for messaging, which are still in development.
// -------------------

inline constexpr convention process_duration{
    "messaging.process.duration", "s", "Time that handlers took, attempts and pauses included."};
inline constexpr convention client_operation_duration{
    "messaging.client.operation.duration", "s",
    "Time that a bridge took to send or store a message, or to call a remote service."};
inline constexpr convention sent_messages{"messaging.client.sent.messages", "{message}",
                                          "Messages that were sent to a component or a server."};
inline constexpr convention consumed_messages{
    "messaging.client.consumed.messages", "{message}",
    "Messages that a component has handled, or a bridge has received."};

}  // namespace metric_table

}  // namespace msgbus::detail
