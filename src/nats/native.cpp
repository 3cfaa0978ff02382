#include "native.hpp"

#include "header_block.hpp"
#include "urls.hpp"

#include <bit>
#include <cstdlib>
#include <functional>
#include <limits>
#include <new>
#include <utility>

namespace msgbus::nats {

// --- Statuses. -----------------------------------------------------------------------------------

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
  // It begins with a location in nats.c: "(pub.c:298): ...".
  std::string_view more = said;
  const auto location = more.find("): ");
  if (more.starts_with('(') && location != std::string_view::npos) more.remove_prefix(location + 3);
  if (!more.empty() && more != text) text += " (" + std::string(more) + ")";
  return text;
}

error failure(natsStatus status, const std::string& text) {
  return error(code_of(status), text + ": " + text_of(status));
}

// --- Messages. -----------------------------------------------------------------------------------

namespace {

/// Texts of a message, in an array that nats.c makes.
class texts {
 public:
  template <class F, class... Args>
  explicit texts(F list, natsMsg* of, Args... args) {
    const natsStatus status = list(of, args..., &all_, &count_);
    if (status == NATS_NO_MEMORY) throw std::bad_alloc();
    if (status != NATS_OK) count_ = 0;
  }
  ~texts() { std::free(static_cast<void*>(all_)); }
  texts(const texts&) = delete;
  texts& operator=(const texts&) = delete;

  [[nodiscard]] const char* const* begin() const noexcept { return all_; }
  [[nodiscard]] const char* const* end() const noexcept { return all_ + count_; }

 private:
  const char** all_ = nullptr;
  int count_ = 0;
};

std::string_view text_or_empty(const char* text) noexcept {
  return text ? std::string_view(text) : std::string_view();
}

// Between what comes before and the payload; empty if nothing is there.
std::string_view header_block_of(const natsMsg* message) noexcept {
  const std::string_view reply = reply_topic_of(message);
  const std::string_view before = reply.empty() ? subject_of(message) : reply;
  const char* const begin = before.data() + before.size() + 1;
  const std::less<> is_before;
  const char* const end = natsMsg_GetData(message);
  if (end == nullptr || !is_before(begin, end)) return std::string_view(begin, begin);
  return {begin, static_cast<std::size_t>(end - begin) - 1};
}

std::string_view header_of(natsMsg* message, const char* name) noexcept {
  const char* value = nullptr;
  if (natsMsgHeader_Get(message, name, &value) != NATS_OK) return {};
  return text_or_empty(value);
}

}  // namespace

void discarded_messages::add(message_ptr message) noexcept {
  constexpr std::size_t most_bytes = 256 << 10;
  constexpr std::size_t around_payload = 256;  // the message itself, its subject and headers
  bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(message.get())) + around_payload;
  all_[count_++] = std::move(message);
  if (count_ == all_.size() || bytes_ > most_bytes) destroy();
}

void discarded_messages::destroy_if_many() noexcept {
  constexpr std::size_t few_bytes = 8 << 10;
  if (bytes_ > few_bytes) destroy();
}

void discarded_messages::destroy() noexcept {
  for (; count_ > 0; --count_) all_[count_ - 1].reset();
  bytes_ = 0;
}

message_ptr to_nats(const envelope& message, const std::string& reply_to) {
  natsMsg* made = nullptr;
  natsStatus status =
      natsMsg_Create(&made, message.topic.c_str(), reply_to.empty() ? nullptr : reply_to.c_str(),
                     message.payload.data(), static_cast<int>(message.payload.size()));
  message_ptr result(made);
  if (status == NATS_OK && !message.headers.empty()) {
    const joined_headers all(message.headers);
    status = natsMsgHeader_Set(made, all.name(), all.value());
  }
  if (status != NATS_OK) throw failure(status, "message to '" + message.topic + "'");
  return result;
}

std::string_view subject_of(const natsMsg* message) noexcept {
  return text_or_empty(natsMsg_GetSubject(message));
}

std::string_view reply_topic_of(const natsMsg* message) noexcept {
  return text_or_empty(natsMsg_GetReply(message));
}

std::string_view payload_of(const natsMsg* message) noexcept {
  const char* const data = natsMsg_GetData(message);
  return data ? std::string_view(data, static_cast<std::size_t>(natsMsg_GetDataLength(message)))
              : std::string_view();
}

std::string_view status_of(natsMsg* message) noexcept {
  static const std::string name(header::status);
  return header_of(message, name.c_str());
}

std::string_view description_of(natsMsg* message) noexcept {
  return header_of(message, "Description");
}

namespace {

// What nats.c makes is one block: subject, reply topic, headers and payload, each with a zero. It
// offers headers only after it has put each of them into a table, which costs more than all else
// that is done with a message. So they are read where they are, in versions that are laid out like
// this: those of nats.c 3 are, and a message that is made here shows whether this one is.
bool reads_blocks() {
  static const bool reads = [] {
    constexpr std::uint32_t next_major = 0x040000;
    if (nats_GetVersionNumber() >= next_major) return false;
    for (const char* const reply : {"reply", static_cast<const char*>(nullptr)}) {
      natsMsg* made = nullptr;
      if (natsMsg_Create(&made, "subject", reply, "payload", 7) != NATS_OK) return false;
      const message_ptr sample(made);
      if (header_block_of(made).data() != payload_of(made).data() || !subject_of(made).data()) {
        return false;
      }
    }
    return true;
  }();
  return reads;
}

}  // namespace

envelope from_nats(natsMsg* message) {
  envelope result;
  from_nats(message, result);
  return result;
}

void from_nats(natsMsg* message, envelope& into) {
  into.topic = subject_of(message);
  into.payload = payload_of(message);
  into.reply_to = reply_topic_of(message);
  into.headers.clear();
  if (reads_blocks()) {
    const std::string_view block = header_block_of(message);
    if (block.empty() || read_header_block(block, into.headers)) return;
  }
  const texts names(natsMsgHeader_Keys, message);
  for (const char* const name : names) {
    for (const char* const value : texts(natsMsgHeader_Values, message, name)) {
      into.headers.add(name, value);
    }
  }
}

void check(const envelope& message) {
  transport::check_envelope(message);
  check_size(message);
}

void check_size(const envelope& message) {
  if (message.payload.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw error(errc::transport_failed,
                "a payload of " + std::to_string(message.payload.size()) + " bytes is too large");
  }
}

// --- Connections. --------------------------------------------------------------------------------

/// nats.c may call back after a connection has been destroyed, or for one that could not be made:
/// so it is given a number instead of a pointer, and its calls for numbers that are gone are
/// ignored. A connection is in the table until nats.c has said that it is closed.
class native_connection::callbacks {
 public:
  static std::uintptr_t add(const std::shared_ptr<native_connection>& added) {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    all.connections[++all.last] = added;
    return all.last;
  }
  static std::shared_ptr<native_connection> remove(std::uintptr_t number) noexcept {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    const auto found = all.connections.find(number);
    if (found == all.connections.end()) return nullptr;
    auto removed = std::move(found->second);
    all.connections.erase(found);
    return removed;
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
  struct connections_table {
    std::mutex mutex;
    std::uintptr_t last = 0;
    std::map<std::uintptr_t, std::shared_ptr<native_connection>> connections;
  };

  // Never destroyed: nats.c's threads may outlive the program's static objects.
  static connections_table& table() {
    static auto& all = *new connections_table;
    return all;
  }

  template <class F>
  static void tell(const std::shared_ptr<native_connection>& of, F f) noexcept {
    if (!of) return;
    if (const auto listener = of->listener_.lock()) f(*listener, *of);
  }
  static std::shared_ptr<native_connection> find(void* closure) noexcept {
    auto& all = table();
    const std::lock_guard lock(all.mutex);
    const auto found = all.connections.find(std::bit_cast<std::uintptr_t>(closure));
    return found == all.connections.end() ? nullptr : found->second;
  }

  static std::string reason(natsConnection* connection) {
    const char* text = nullptr;
    const natsStatus status = natsConnection_GetLastError(connection, &text);
    if (text && *text) return text;
    return status == NATS_OK ? std::string() : natsStatus_GetText(status);
  }

  static void disconnected(natsConnection* connection, void* closure) {
    tell(find(closure),
         [&](native_listener& to, native_connection& of) { to.lost(of, reason(connection)); });
  }
  static void reconnected(natsConnection* connection, void* closure) {
    char url[256] = "";
    natsConnection_GetConnectedUrl(connection, url, sizeof url);
    tell(find(closure),
         [&](native_listener& to, native_connection& of) { to.back(of, shown_as_written(url)); });
  }
  static void closed(natsConnection* connection, void* closure) {
    const char* text = nullptr;
    const natsStatus why = natsConnection_GetLastError(connection, &text);
    tell(remove(std::bit_cast<std::uintptr_t>(closure)),
         [&](native_listener& to, native_connection& of) {
           to.closed(of, why, reason(connection));
         });
  }
  // nats.c keeps no reference to the subscription until this is called: it may be gone, so it is
  // compared and not used.
  static void failed(natsConnection* connection, natsSubscription* subscription, natsStatus status,
                     void* closure) {
    tell(find(closure), [&](native_listener& to, native_connection& of) {
      if (status != NATS_SLOW_CONSUMER) {
        std::string text = natsStatus_GetText(status);
        const std::string more = reason(connection);
        if (!more.empty() && more != text) text += ": " + more;
        to.failed(std::move(text));
        return;
      }
      std::string subject;
      {
        const std::lock_guard lock(of.mutex_);
        const auto found = of.subjects_.find(subscription);
        if (found != of.subjects_.end()) subject = found->second;
      }
      to.slow(std::move(subject));
    });
  }
};

std::shared_ptr<native_connection> native_connection::connect(
    const options& options, bool in_bulk, std::weak_ptr<native_listener> listener) {
  const options_ptr with = to_nats(options, in_bulk);
  std::shared_ptr<native_connection> made(new native_connection);
  made->listener_ = std::move(listener);
  const std::uintptr_t number = callbacks::add(made);
  natsStatus status = callbacks::set(with.get(), number);
  if (status == NATS_OK) status = natsConnection_Connect(&made->connection_, with.get());
  if (status != NATS_OK) {
    (void)callbacks::remove(number);  // nats.c says nothing of a connection that it never had
    throw failure(status, "cannot connect to " + shown(options.url));
  }
  return made;
}

native_connection::~native_connection() {
  destroy(retired_);
  natsConnection_Destroy(connection_);
}

void native_connection::destroy(const std::vector<natsSubscription*>& ended) noexcept {
  for (natsSubscription* const each : ended) natsSubscription_Destroy(each);
}

bool native_connection::is_connected() const noexcept {
  return natsConnection_Status(connection_) == NATS_CONN_STATUS_CONNECTED;
}

bool native_connection::is_closed() const noexcept { return natsConnection_IsClosed(connection_); }

bool native_connection::is_refused() const noexcept {
  const char* text = nullptr;
  return is_closed() && natsConnection_GetLastError(connection_, &text) == NATS_ERR;
}

std::string native_connection::last_error() const {
  const char* text = nullptr;
  natsConnection_GetLastError(connection_, &text);
  return text ? text : "";
}

natsStatus native_connection::publish(const envelope& message, const std::string& reply_to) {
  if (message.headers.empty()) return publish(message.topic, reply_to, message.payload);
  message_ptr made = to_nats(message, reply_to);
  const natsStatus status = natsConnection_PublishMsg(connection_, made.get());
  const std::lock_guard lock(sent_mutex_);
  sent_.add(std::move(made));
  return status;
}

natsStatus native_connection::publish(const std::string& subject, const std::string& reply_to,
                                      std::string_view text) noexcept {
  const int size = static_cast<int>(text.size());
  return reply_to.empty() ? natsConnection_Publish(connection_, subject.c_str(), text.data(), size)
                          : natsConnection_PublishRequest(connection_, subject.c_str(),
                                                          reply_to.c_str(), text.data(), size);
}

std::size_t native_connection::max_payload() const noexcept {
  return static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_));
}

natsStatus native_connection::subscribe(natsSubscription*& made, const std::string& subject,
                                        const std::string& group, natsMsgHandler handler,
                                        void* closure) {
  const natsStatus status =
      group.empty()
          ? natsConnection_Subscribe(&made, connection_, subject.c_str(), handler, closure)
          : natsConnection_QueueSubscribe(&made, connection_, subject.c_str(), group.c_str(),
                                          handler, closure);
  if (status == NATS_OK) {
    const std::lock_guard lock(mutex_);
    subjects_.emplace(made, subject);
  }
  return status;
}

std::size_t native_connection::retire(natsSubscription* ended) noexcept {
  const std::lock_guard lock(mutex_);
  subjects_.erase(ended);
  retired_.push_back(ended);
  return retired_.size();
}

// natsConnection_FlushTimeout says NATS_OK, and has waited for nothing, where the PING could not be
// written. But a write that fails sets the thread's last error: so a call that is refused sets
// another one first.
natsStatus native_connection::ping(std::int64_t milliseconds) noexcept {
  natsConnection_FlushTimeout(connection_, 0);
  natsStatus before = NATS_OK;
  (void)nats_GetLastError(&before);
  const natsStatus status = natsConnection_FlushTimeout(connection_, milliseconds);
  natsStatus after = NATS_OK;
  (void)nats_GetLastError(&after);
  return status == NATS_OK && after != before ? NATS_IO_ERROR : status;
}

natsStatus native_connection::flush(std::int64_t milliseconds) noexcept {
  std::vector<natsSubscription*> ended;  // before the PING is sent
  {
    const std::lock_guard lock(mutex_);
    ended.swap(retired_);
  }
  const natsStatus status = ping(milliseconds);
  if (status == NATS_OK) {
    destroy(ended);
  } else {
    const std::lock_guard lock(mutex_);
    retired_.insert(retired_.end(), ended.begin(), ended.end());
  }
  return status;
}

void native_connection::close() noexcept { natsConnection_Close(connection_); }

}  // namespace msgbus::nats
