#pragma once

/// Envelopes as messages of nats.c.

#include <msgbus/transport/envelope.hpp>

#include <nats/nats.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace msgbus::nats {

struct message_deleter {
  void operator()(natsMsg* message) const noexcept { natsMsg_Destroy(message); }
};
using message_ptr = std::unique_ptr<natsMsg, message_deleter>;

/// Messages that are to be destroyed. nats.c destroys them on a thread of its own, and wakes that
/// thread for a message that comes alone. So they are given to it many at a time.
class discarded_messages {
 public:
  discarded_messages() = default;
  ~discarded_messages() { destroy(); }
  discarded_messages(const discarded_messages&) = delete;
  discarded_messages& operator=(const discarded_messages&) = delete;

  void add(message_ptr message) noexcept;
  void destroy() noexcept;

 private:
  std::array<message_ptr, 32> all_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

/// Of one that was checked. Throws.
[[nodiscard]] message_ptr to_nats(const envelope& message, const std::string& reply_to);

/// With all values of a header that is there several times. Throws `std::bad_alloc` only.
[[nodiscard]] envelope from_nats(natsMsg* message);

[[nodiscard]] std::string_view payload_of(const natsMsg* message) noexcept;

/// The value of "Status"; empty for a message that is none of the server's own.
[[nodiscard]] std::string_view status_of(natsMsg* message) noexcept;

/// Throws `invalid_topic` or `bad_arguments` if sending it would break the protocol.
void check(const envelope& message);

}  // namespace msgbus::nats
