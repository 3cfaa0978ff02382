// Statuses and messages of nats.c.

#include "native.hpp"

#include "message_format.hpp"

#include <cstdlib>
#include <functional>
#include <limits>
#include <new>

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
std::string_view header_block_of(std::string_view subject, std::string_view reply,
                                 std::string_view payload) noexcept {
  const std::string_view before = reply.empty() ? subject : reply;
  const char* const begin = before.data() + before.size() + 1;
  const std::less<> is_before;
  const char* const end = payload.data();
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

message_with_headers::message_with_headers(const envelope& message, const std::string& reply_to)
    : all_(message.headers) {
  natsMsg* made = nullptr;
  natsStatus status =
      natsMsg_Create(&made, message.topic.c_str(), reply_to.empty() ? nullptr : reply_to.c_str(),
                     message.payload.data(), static_cast<int>(message.payload.size()));
  message_.reset(made);
  if (status == NATS_OK) status = natsMsgHeader_Set(made, all_.name(), all_.value());
  if (status != NATS_OK) throw failure(status, "message to '" + message.topic + "'");
}

message_ptr message_with_headers::without_them() noexcept {
  (void)natsMsgHeader_Delete(message_.get(), all_.name());
  return std::move(message_);
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

// A message of nats.c is one block: subject, reply topic, headers and payload, each with a zero. It
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
      const std::string_view subject = subject_of(made);
      const std::string_view payload = payload_of(made);
      const std::string_view block = header_block_of(subject, reply_topic_of(made), payload);
      if (!subject.data() || block.data() != payload.data()) return false;
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
  const std::string_view subject = subject_of(message);
  const std::string_view payload = payload_of(message);
  const std::string_view reply = reply_topic_of(message);
  into.topic = subject;
  into.payload = payload;
  if (!reply.empty() || !into.reply_to.empty()) into.reply_to = reply;
  into.headers.clear();
  if (reads_blocks()) {
    const std::string_view block = header_block_of(subject, reply, payload);
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

}  // namespace msgbus::nats
