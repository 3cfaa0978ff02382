#include "link.hpp"

#include "message.hpp"
#include "settings.hpp"
#include "status.hpp"

#include <msgbus/transport/transport.hpp>

#include <bit>
#include <map>
#include <mutex>

namespace msgbus::nats {

/// nats.c may call back after a connection has been destroyed, or for one that could not be made:
/// so it is given a number instead of a pointer, and what it says of numbers that are gone is not
/// heard.
class link::callbacks {
 public:
  static std::uintptr_t add(const std::shared_ptr<link>& added) {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    all.links[++all.last] = added;
    return all.last;
  }
  static void remove(std::uintptr_t number) noexcept {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    all.links.erase(number);
  }

  static natsStatus set(natsOptions* to, std::uintptr_t number) {
    void* const closure = std::bit_cast<void*>(number);
    natsStatus status = natsOptions_SetDisconnectedCB(to, disconnected, closure);
    if (status == NATS_OK) status = natsOptions_SetReconnectedCB(to, reconnected, closure);
    if (status == NATS_OK) status = natsOptions_SetClosedCB(to, closed, closure);
    if (status == NATS_OK) status = natsOptions_SetErrorHandler(to, failed, closure);
    return status;
  }

 private:
  struct links_table {
    std::mutex mutex;
    std::uintptr_t last = 0;
    std::map<std::uintptr_t, std::weak_ptr<link>> links;
  };

  // Never destroyed: nats.c's threads may outlive the program's static objects.
  static links_table& table() {
    static auto& all = *new links_table;
    return all;
  }

  template <class F>
  static void tell(void* closure, F f) noexcept {
    std::shared_ptr<link> of;
    {
      auto& all = table();
      const std::lock_guard lock(all.mutex);
      const auto found = all.links.find(std::bit_cast<std::uintptr_t>(closure));
      if (found != all.links.end()) of = found->second.lock();
    }
    if (!of || of->closed_) return;
    if (const auto listener = of->listener_.lock()) f(*listener, *of);
  }

  static std::string reason(natsConnection* connection) {
    const char* text = nullptr;
    const natsStatus status = natsConnection_GetLastError(connection, &text);
    if (text && *text) return std::string(": ") + text;
    return status == NATS_OK ? std::string() : std::string(": ") + natsStatus_GetText(status);
  }

  static void disconnected(natsConnection* connection, void* closure) {
    tell(closure,
         [&](link_listener& to, link& of) { to.lost(of.role_, of.server() + reason(connection)); });
  }
  static void reconnected(natsConnection* connection, void* closure) {
    char url[256] = "";
    natsConnection_GetConnectedUrl(connection, url, sizeof url);
    tell(closure, [&](link_listener& to, link& of) { to.back(of.role_, shown(url)); });
  }
  static void closed(natsConnection* connection, void* closure) {
    tell(closure, [&](link_listener& to, link& of) {
      to.ended(of.role_, of.server() + reason(connection));
    });
  }
  static void failed(natsConnection* connection, natsSubscription* subscription, natsStatus status,
                     void* closure) {
    const char* const subject = subscription ? natsSubscription_GetSubject(subscription) : nullptr;
    tell(closure, [&](link_listener& to, link& of) {
      if (status == NATS_SLOW_CONSUMER) {
        to.slow(subject ? subject : "");
      } else {
        to.failed(of.server() + ": " + natsStatus_GetText(status) + reason(connection));
      }
    });
  }
};

std::shared_ptr<link> link::connect(const options& how, role which,
                                    std::weak_ptr<link_listener> listener) {
  std::shared_ptr<link> made(new link(which, shown(how.url)));
  made->listener_ = std::move(listener);
  made->number_ = callbacks::add(made);
  const options_ptr with = to_nats(how, which == role::bulk);
  natsStatus status = callbacks::set(with.get(), made->number_);
  if (status == NATS_OK) status = natsConnection_Connect(&made->connection_, with.get());
  if (status != NATS_OK) throw failure(status, "cannot connect to " + made->shown_);
  return made;
}

link::~link() {
  close(0);
  callbacks::remove(number_);
  natsConnection_Destroy(connection_);
}

void link::publish(const envelope& message, const std::string& reply_to) {
  check(message);
  natsStatus status = NATS_OK;
  if (message.headers.empty()) {
    status = publish(message.topic.c_str(), reply_to, message.payload);
  } else {
    status = natsConnection_PublishMsg(connection_, to_nats(message, reply_to).get());
  }
  if (status == NATS_OK) return;
  const std::string what = "publish to '" + message.topic + "'";
  if (status == NATS_MAX_PAYLOAD) {
    throw transport::message_refused(what + ": " + std::to_string(size_of(message)) +
                                     " bytes with its headers, and the server takes " +
                                     std::to_string(natsConnection_GetMaxPayload(connection_)) +
                                     " at most");
  }
  throw failed(status, what);
}

natsStatus link::publish(const char* subject, const std::string& reply_to,
                         std::string_view payload) noexcept {
  const int size = static_cast<int>(payload.size());
  return reply_to.empty() ? natsConnection_Publish(connection_, subject, payload.data(), size)
                          : natsConnection_PublishRequest(connection_, subject, reply_to.c_str(),
                                                          payload.data(), size);
}

bool link::send(const std::string& subject, const std::string& reply_to,
                std::string_view text) noexcept {
  return publish(subject.c_str(), reply_to, text) == NATS_OK;
}

void link::close(std::int64_t flush_milliseconds) noexcept {
  if (closed_.exchange(true) || !connection_) return;
  if (flush_milliseconds > 0 && !is_away()) {
    natsConnection_FlushTimeout(connection_, flush_milliseconds);
  }
  natsConnection_Close(connection_);
}

void link::keep(std::shared_ptr<void> what) {
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(what));
}

bool link::is_away() const noexcept {
  return natsConnection_Status(connection_) != NATS_CONN_STATUS_CONNECTED;
}

error link::failed(natsStatus status, const std::string& what) const {
  if (status == NATS_CONNECTION_CLOSED && !closed_) {
    return error(errc::disconnected, what + ": the connection to " + shown_ + " has ended");
  }
  if (code_of(status) == errc::closed) return error(errc::closed, what + ": closed");
  return failure(status, what);
}

}  // namespace msgbus::nats
