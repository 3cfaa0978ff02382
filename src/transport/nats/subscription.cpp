#include "subscription.hpp"

#include <algorithm>
#include <limits>

namespace msgbus::nats {

namespace {

constexpr std::int64_t drain_milliseconds = 2000;
constexpr std::int64_t least_pending_bytes = 64 << 20;

}  // namespace

/// What nats.c holds.
struct subscription::closure {
  std::shared_ptr<receiver> to;
  std::shared_ptr<subscription> self;  // its memory must not go while nats.c drains it

  static void message(natsConnection*, natsSubscription*, natsMsg* message, void* to) {
    static_cast<closure*>(to)->to->take(message_ptr(message));
  }
  static void completed(void* of) {
    const std::unique_ptr<closure> last(static_cast<closure*>(of));
    last->to->completed();
  }
};

std::shared_ptr<subscription> subscription::open(std::shared_ptr<link> over,
                                                 const std::string& subject,
                                                 const std::string& group, int pending_limit,
                                                 std::shared_ptr<receiver> to) {
  std::shared_ptr<subscription> made(new subscription(over));
  auto held = std::make_shared<std::unique_ptr<closure>>(new closure{std::move(to), made});
  natsSubscription*& sub = made->subscription_;
  const std::string what = "subscribe to '" + subject + "'";
  natsStatus status =
      group.empty() ? natsConnection_Subscribe(&sub, over->get(), subject.c_str(), closure::message,
                                               held->get())
                    : natsConnection_QueueSubscribe(&sub, over->get(), subject.c_str(),
                                                    group.c_str(), closure::message, held->get());
  if (status != NATS_OK) throw over->failed(status, what);
  status = natsSubscription_SetOnCompleteCB(sub, closure::completed, held->get());
  if (status != NATS_OK) {
    // Its connection was closed just now, and nats.c will not say when it has made its last call.
    held->get()->self.reset();
    over->keep(held);
    throw over->failed(NATS_CONNECTION_CLOSED, what);
  }
  held->release();
  const auto bytes = std::max(least_pending_bytes, std::int64_t{pending_limit} * 1024);
  natsSubscription_SetPendingLimits(
      sub, pending_limit == 0 ? -1 : pending_limit,
      pending_limit == 0
          ? -1
          : static_cast<int>(std::min<std::int64_t>(bytes, std::numeric_limits<int>::max())));
  return made;
}

subscription::~subscription() { natsSubscription_Destroy(subscription_); }

void subscription::stop() noexcept {
  note_dropped();
  natsSubscription_Unsubscribe(subscription_);
}

void subscription::drain() noexcept {
  note_dropped();
  if (natsSubscription_DrainTimeout(subscription_, drain_milliseconds) != NATS_OK) {
    natsSubscription_Unsubscribe(subscription_);
  }
}

void subscription::wait_until_drained(std::int64_t milliseconds) noexcept {
  natsSubscription_WaitForDrainCompletion(subscription_, milliseconds);
}

void subscription::note_dropped() const noexcept {
  std::int64_t now = 0;
  if (natsSubscription_GetDropped(subscription_, &now) == NATS_OK) {
    dropped_ = static_cast<std::uint64_t>(now);
  }
}

std::uint64_t subscription::dropped() const noexcept {
  note_dropped();
  return dropped_;
}

}  // namespace msgbus::nats
