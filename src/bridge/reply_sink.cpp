#include "bridge/reply_sink.hpp"

#include <utility>

namespace msgbus::bridging {

bool reply_sink::take(envelope&& message, bool) noexcept {
  const std::uint64_t number = transport::reply_number(message.topic, inbox_);
  waiting_.give(number, {.reply = std::move(message)});
  return true;
}

// Their answers are lost, or will be; those that are asked from now on are sent later.
void reply_sink::interrupted() noexcept {
  waiting_.interrupt({.code = errc::disconnected, .why = "the connection was lost"});
}

void reply_sink::ended(const std::exception_ptr& why) noexcept {
  waiting_.end({.code = errc::transport_failed, .why = describe(why)});
}

}  // namespace msgbus::bridging
