#pragma once

/// The options of a connection, as nats.c takes them.

#include <msgbus/transport/nats.hpp>

#include <nats/nats.h>

#include <memory>

namespace msgbus::nats {

struct options_deleter {
  void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};
using options_ptr = std::unique_ptr<natsOptions, options_deleter>;

/// For the connection that sends in bulk, or for the one that sends at once. Throws if files are
/// not there, or are not what they should be.
[[nodiscard]] options_ptr to_nats(const options& from, bool in_bulk);

}  // namespace msgbus::nats
