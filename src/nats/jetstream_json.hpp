#pragma once

/// JetStream's JSON: configurations of streams and consumers, answers, errors. Pure.

#include <msgbus/transport/transport.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace msgbus::nats {

using json = nlohmann::json;

// --- Answers. ------------------------------------------------------------------------------------

/// An error of JetStream.
struct refusal {
  int code = 0;      ///< as of HTTP
  int err_code = 0;  ///< which error it is
  std::string text = {};
};

inline constexpr int stream_not_found = 10059;
inline constexpr int consumer_not_found = 10014;
inline constexpr int consumer_name_taken = 10013;
inline constexpr int consumer_exists = 10148;
inline constexpr int stream_exists = 10058;
inline constexpr int message_too_large = 10054;
inline constexpr int headers_too_large = 10097;

/// The error in a reply; its text is empty if there is none.
[[nodiscard]] refusal refusal_of(const json& answer);

/// Throws `transport_failed`, `message_refused` or `unsupported`, if the answer is an error.
void check_answer(const json& answer, const std::string& text);

/// Reads `{"stream":"ORDERS","seq":7,"duplicate":true}`, whatever else it has, without making a
/// document of it: that would cost more than the rest of the way. False for anything but that.
[[nodiscard]] bool read_stored(std::string_view text, transport::stored& into);

// --- Streams. ------------------------------------------------------------------------------------

/// Of a new one.
[[nodiscard]] json stream_config(const transport::stream_options& wanted);

/// Adds the topics that the stream does not have. False if there is none.
[[nodiscard]] bool add_topics(json& config, const std::vector<std::string>& wanted);

// --- Durable consumers. --------------------------------------------------------------------------

/// Of a new one.
[[nodiscard]] json consumer_config(const transport::pull_options& which);

/// Which fields of one that is there keep it from serving, with their values and those needed;
/// empty if none does. The others are its owner's affair.
[[nodiscard]] std::string misfits(const json& there, const transport::pull_options& which);

/// Whether it has a `backoff`, whose times replace `ack_wait`.
[[nodiscard]] bool has_backoff(const json& there);

/// Whether its `ack_wait` is the requested one.
[[nodiscard]] bool has_ack_wait(const json& there, const transport::pull_options& which);

/// Whether it may deliver a message again sooner than is asked for: then one that is being handled
/// may come a second time.
[[nodiscard]] bool is_less_patient(const json& there, const transport::pull_options& which);

/// A text with its `ack_wait` and the requested one.
[[nodiscard]] std::string impatience(const json& there, const transport::pull_options& which);

/// The existing configuration with another `ack_wait`.
[[nodiscard]] json with_ack_wait(json there, const transport::pull_options& which);

}  // namespace msgbus::nats
