#include "status.hpp"

#include <string_view>

namespace msgbus::nats {

errc code_of(natsStatus status) noexcept {
  switch (status) {
    case NATS_NO_SERVER:
    case NATS_IO_ERROR:
    case NATS_STALE_CONNECTION:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_NOT_YET_CONNECTED: return errc::disconnected;
    case NATS_CONNECTION_CLOSED:
    case NATS_DRAINING: return errc::closed;
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
    case NATS_SSL_ERROR:
    case NATS_SECURE_CONNECTION_WANTED:
    case NATS_SECURE_CONNECTION_REQUIRED: return errc::access_denied;
    case NATS_TIMEOUT: return errc::timed_out;
    case NATS_INSUFFICIENT_BUFFER: return errc::full;
    case NATS_INVALID_SUBJECT: return errc::invalid_topic;
    default: return errc::transport_failed;
  }
}

std::string text_of(natsStatus status) {
  std::string text = natsStatus_GetText(status);
  natsStatus last = NATS_OK;
  const char* const said = nats_GetLastError(&last);
  if (last != status || !said) return text;
  // It begins with a place in nats.c: "(pub.c:298): ...".
  std::string_view more = said;
  const auto place = more.find("): ");
  if (more.starts_with('(') && place != std::string_view::npos) more.remove_prefix(place + 3);
  if (!more.empty() && more != text) text += " (" + std::string(more) + ")";
  return text;
}

error failure(natsStatus status, const std::string& what) {
  return error(code_of(status), what + ": " + text_of(status));
}

}  // namespace msgbus::nats
