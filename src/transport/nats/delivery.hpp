#pragma once

/// A message of JetStream that waits to be settled.

#include "link.hpp"
#include "message.hpp"
#include "progress.hpp"

#include <msgbus/transport/delivery.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace msgbus::nats {

/// Whether a message with this reply topic is one of a stream's.
[[nodiscard]] bool is_delivery(const char* reply_to) noexcept;

/// What the topic of its acknowledgement says of it.
struct delivered {
  unsigned times = 1;
  std::uint64_t sequence = 0;
};
[[nodiscard]] delivered read_ack_topic(std::string_view ack_topic) noexcept;

/// It is in progress until it is settled or destroyed. Throws `std::bad_alloc` only.
[[nodiscard]] std::unique_ptr<transport::delivery> make_delivery(natsMsg* message,
                                                                 std::shared_ptr<progress> in);

/// Gives it back at once, so that others get it.
void give_back(link& over, const char* ack_topic) noexcept;

}  // namespace msgbus::nats
