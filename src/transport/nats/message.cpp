#include "message.hpp"

#include "status.hpp"

#include <cstdlib>
#include <limits>
#include <new>

namespace msgbus::nats {

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

}  // namespace

void discarded_messages::add(message_ptr message) noexcept {
  constexpr std::size_t most_bytes = 256 << 10;
  bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(message.get()));
  all_[count_++] = std::move(message);
  if (count_ == all_.size() || bytes_ > most_bytes) destroy();
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
  for (const auto& [name, value] : message.headers) {
    if (status != NATS_OK) break;
    status = natsMsgHeader_Add(made, name.c_str(), value.c_str());
  }
  if (status != NATS_OK) throw failure(status, "message to '" + message.topic + "'");
  return result;
}

std::string_view payload_of(const natsMsg* message) noexcept {
  const char* const data = natsMsg_GetData(message);
  return data ? std::string_view(data, static_cast<std::size_t>(natsMsg_GetDataLength(message)))
              : std::string_view();
}

std::string_view status_of(natsMsg* message) noexcept {
  const char* value = nullptr;
  const std::string name(header::status);
  if (natsMsgHeader_Get(message, name.c_str(), &value) != NATS_OK || !value) return {};
  return value;
}

envelope from_nats(natsMsg* message) {
  envelope result{natsMsg_GetSubject(message)};
  result.payload = payload_of(message);
  if (const char* const reply = natsMsg_GetReply(message)) result.reply_to = reply;
  const texts names(natsMsgHeader_Keys, message);
  for (const char* const name : names) {
    for (const char* const value : texts(natsMsgHeader_Values, message, name)) {
      result.headers.add(name, value);
    }
  }
  return result;
}

void check(const envelope& message) {
  transport::check_envelope(message);
  if (message.payload.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw error(errc::transport_failed,
                "a payload of " + std::to_string(message.payload.size()) + " bytes is too large");
  }
}

}  // namespace msgbus::nats
