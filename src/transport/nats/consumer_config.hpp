#pragma once

/// The configuration of a durable consumer: that of a new one, and whether one that is there
/// serves. Pure: from JSON to JSON.

#include <msgbus/transport/transport.hpp>

#include <nlohmann/json.hpp>

#include <string>

namespace msgbus::nats {

using json = nlohmann::json;

/// Of a new one.
[[nodiscard]] json consumer_config(const transport::pull_options& which);

/// Which fields of one that is there keep it from serving, with their values and those needed;
/// empty if none does. The others are its owner's affair.
[[nodiscard]] std::string misfits(const json& there, const transport::pull_options& which);

/// Whether its patience grows from delivery to delivery; then `ack_wait` says nothing.
[[nodiscard]] bool has_backoff(const json& there);

/// Whether its patience is the one that is asked for.
[[nodiscard]] bool has_ack_wait(const json& there, const transport::pull_options& which);

/// Whether it may deliver a message again sooner than is asked for: then one that is being handled
/// may come a second time.
[[nodiscard]] bool is_less_patient(const json& there, const transport::pull_options& which);

/// That it is, with its patience and the one that is asked for.
[[nodiscard]] std::string impatience(const json& there, const transport::pull_options& which);

/// All that is there, but for the patience.
[[nodiscard]] json with_ack_wait(json there, const transport::pull_options& which);

}  // namespace msgbus::nats
