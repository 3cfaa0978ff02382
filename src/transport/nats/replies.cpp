#include "replies.hpp"

#include <charconv>
#include <cstdint>
#include <random>

namespace msgbus::nats {

namespace {

class answers final : public receiver {
 public:
  answers(std::shared_ptr<reply_table> in, std::size_t prefix)
      : table_(std::move(in)), prefix_(prefix) {}

 private:
  void take(message_ptr message) noexcept override {
    const std::string_view subject = natsMsg_GetSubject(message.get());
    std::uint64_t number = 0;
    const char* const end = subject.data() + subject.size();
    if (std::from_chars(subject.data() + prefix_, end, number).ptr != end) return;
    answer got;
    got.payload = payload_of(message.get());
    if (got.payload.empty()) got.status = status_of(message.get());
    table_->give(number, std::move(got));
  }

  const std::shared_ptr<reply_table> table_;
  const std::size_t prefix_;
};

}  // namespace

// Not by natsInbox_Create: where nats.c is built without TLS, its names come from the clock.
std::string make_inbox() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string made = "_INBOX.";
  std::random_device random;
  for (int i = 0; i < 4; ++i) {
    for (std::uint32_t bits = random(), left = 8; left != 0; --left, bits >>= 4) {
      made += digits[bits & 15];
    }
  }
  return made;
}

replies::~replies() {
  if (subscription_) subscription_->stop();
}

const std::string& replies::inbox() {
  const std::lock_guard lock(mutex_);
  if (!subscription_) {
    inbox_ = make_inbox() + '.';
    subscription_ = subscription::open(over_, inbox_ + '*', {}, 0,
                                       std::make_shared<answers>(table_, inbox_.size()));
  }
  return inbox_;
}

asio::awaitable<answer> replies::ask(const envelope& message, deadline until) {
  const reply_table::pending_reply mine(*table_, until.caller());
  const std::string reply_to = inbox() + std::to_string(mine.number());
  over_->publish(message, reply_to);
  co_return co_await mine.wait(std::move(until));
}

}  // namespace msgbus::nats
