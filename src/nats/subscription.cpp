#include "connection.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>
#include <utility>
#include <vector>

namespace msgbus::nats {

namespace {

// So many messages come together at most before the receiver hands them on.
constexpr int most_together = 64;
constexpr std::int64_t drain_milliseconds = 2000;
constexpr std::int64_t least_pending_bytes = 64 << 20;

}  // namespace

/// The closure that nats.c holds: passed with a subscription, and destroyed by the last call of
/// nats.c.
class subscription::closure {
 public:
  closure(std::shared_ptr<receiver> to, std::shared_ptr<subscription> self)
      : to_(std::move(to)), self_(std::move(self)) {}

  static void message(natsConnection*, natsSubscription* from, natsMsg* message, void* to) {
    static_cast<closure*>(to)->take(from, message_ptr(message));
  }
  static void completed(void* of) {
    const std::unique_ptr<closure> last(static_cast<closure*>(of));
    if (last->to_) last->to_->caught_up();
    last->to_.reset();
    last->self_->completed();
  }

  /// The connection was closed before nats.c had its last callback, so the end of its thread in
  /// this object is unknown. The closure is kept for ever, without the receiver.
  static void abandon(closure* left) noexcept {
    static std::mutex mutex;
    static auto& all = *new std::vector<closure*>;  // never destroyed
    left->abandoned_ = true;
    left->release_if_abandoned();
    const std::lock_guard lock(mutex);
    all.push_back(left);
  }

 private:
  void take(natsSubscription* from, message_ptr message) noexcept {
    ++inside_;
    if (!abandoned_) {
      to_->take(std::move(message));
      // nats.c is asked once for all that have come: it takes a lock for that, which the thread
      // that reads from the server wants for each message.
      if (following_ > 0) --following_;
      if (following_ == 0 && natsSubscription_GetPending(from, &following_, nullptr) != NATS_OK) {
        following_ = 0;
      }
      if (++taken_ == most_together || following_ == 0) {
        taken_ = 0;
        to_->caught_up();
      }
    }
    --inside_;
    release_if_abandoned();
  }
  void release_if_abandoned() noexcept {
    if (!abandoned_ || inside_ != 0 || released_.exchange(true)) return;
    to_->caught_up();
    to_.reset();
    self_.reset();
  }

  std::shared_ptr<receiver> to_;
  std::shared_ptr<subscription> self_;  // its memory must not go while nats.c drains it
  int taken_ = 0;                       // since the receiver has caught up
  int following_ = 0;                   // so many wait in nats.c at least
  std::atomic<int> inside_{0};
  std::atomic<bool> abandoned_{false};
  std::atomic<bool> released_{false};
};

subscription::subscription(std::shared_ptr<connection> over, std::string subject, std::string group,
                           int pending_limit, std::shared_ptr<receiver> to)
    : over_(std::move(over)),
      subject_(std::move(subject)),
      group_(std::move(group)),
      pending_limit_(pending_limit),
      number_(over_->new_number()),
      to_(std::move(to)) {}

std::shared_ptr<subscription> subscription::open(std::shared_ptr<connection> over,
                                                 const std::string& subject,
                                                 const std::string& group, int pending_limit,
                                                 std::shared_ptr<receiver> to) {
  std::shared_ptr<subscription> made(
      new subscription(over, subject, group, pending_limit, std::move(to)));
  over->add(made);
  const std::string text = "subscribe to '" + subject + "'";
  natsStatus status = NATS_OK;
  {
    const std::lock_guard lock(made->mutex_);
    // The connection is read first: a search begins before it has a new one. Where it searches, it
    // attaches this one, before it sends what has been kept meanwhile.
    const auto at = over->current();
    if (!over->searches() && !made->native_) status = made->try_to_attach(at);
  }
  if (over->has_ended()) status = NATS_CONNECTION_CLOSED;
  // A connection that nats.c has closed: the next one attaches it.
  const bool later = status == NATS_CONNECTION_CLOSED && !over->has_ended();
  if (status == NATS_OK || later) return made;
  made->leave();
  throw over->failed(status, text);
}

subscription::~subscription() { over_->remove(number_); }

// --- Attached and detached. ----------------------------------------------------------------------

// With the lock, and detached.
natsStatus subscription::try_to_attach(const std::shared_ptr<native_connection>& to) noexcept {
  auto* const held = new closure(to_, shared_from_this());
  natsSubscription* made = nullptr;
  natsStatus status = to->subscribe(made, subject_, group_, closure::message, held);
  if (status != NATS_OK) {
    delete held;
    return status;
  }
  if (natsSubscription_SetOnCompleteCB(made, closure::completed, held) != NATS_OK) {
    closure::abandon(held);
    to->retire(made);
    return NATS_CONNECTION_CLOSED;
  }
  const auto bytes = std::max(least_pending_bytes, std::int64_t{pending_limit_} * 1024);
  natsSubscription_SetPendingLimits(
      made, pending_limit_ == 0 ? -1 : pending_limit_,
      pending_limit_ == 0
          ? -1
          : static_cast<int>(std::min<std::int64_t>(bytes, std::numeric_limits<int>::max())));
  native_ = made;
  at_ = to;
  return NATS_OK;
}

auto subscription::attach(const std::shared_ptr<native_connection>& to,
                          std::chrono::steady_clock::time_point until) noexcept -> attachment {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return ends_ || !native_ || at_ == to; });
  if (ends_) return attachment::none;
  if (native_) return at_ == to ? attachment::there : attachment::busy;
  return attach_again(lock, to) ? attachment::there : attachment::none;
}

// Unlocks. Where that connection is closed too, the next one attaches it.
bool subscription::attach_again(std::unique_lock<std::mutex>& lock,
                                const std::shared_ptr<native_connection>& to) noexcept {
  const natsStatus status = try_to_attach(to);
  lock.unlock();
  if (status != NATS_OK && status != NATS_CONNECTION_CLOSED) {
    try {
      throw over_->failed(status, "subscribe to '" + subject_ + "'");
    } catch (const std::exception&) {  // which may be a bad_alloc
      refuse(std::current_exception());
    }
  }
  return status == NATS_OK;
}

// nats.c's last call for the subscription of nats.c.
void subscription::completed() noexcept {
  natsSubscription* ended = nullptr;
  std::shared_ptr<native_connection> at;
  std::unique_lock lock(mutex_);
  note_dropped();
  dropped_ += std::exchange(native_dropped_, 0);
  ended = std::exchange(native_, nullptr);
  at = std::move(at_);
  if (!ends_ && over_->has_ended()) ends_ = true;
  if (ends_) {
    end_unless_attached(lock);
  } else {
    changed_.notify_all();
    const auto current = over_->current();
    if (current == at || over_->searches()) {
      lock.unlock();  // a later connection, or the search, attaches it
    } else {
      (void)attach_again(lock, current);
    }
  }
  over_->retire(at, ended);
}

// Unlocks.
void subscription::end_unless_attached(std::unique_lock<std::mutex>& lock) noexcept {
  std::shared_ptr<receiver> last;
  if (ends_ && !native_) last = std::exchange(to_, nullptr);
  changed_.notify_all();
  const std::exception_ptr why = why_;
  lock.unlock();
  if (last) last->completed(why);
}

// --- Ending. -------------------------------------------------------------------------------------

void subscription::leave() noexcept {
  over_->remove(number_);
  const std::lock_guard lock(mutex_);
  ends_ = true;
  to_.reset();
  // A new connection of nats.c may have attached it meanwhile.
  if (native_) natsSubscription_Unsubscribe(native_);
}

void subscription::stop() noexcept {
  over_->remove(number_);
  std::unique_lock lock(mutex_);
  ends_ = true;
  note_dropped();
  if (native_) natsSubscription_Unsubscribe(native_);
  end_unless_attached(lock);
}

void subscription::drain() noexcept {
  over_->remove(number_);
  std::unique_lock lock(mutex_);
  ends_ = true;
  note_dropped();
  if (native_) {
    // Nothing more can come while the connection is away, and a PING that nats.c loses then would
    // make its later flushes fail.
    const bool drains = at_->is_connected() &&
                        natsSubscription_DrainTimeout(native_, drain_milliseconds) == NATS_OK;
    if (!drains) natsSubscription_Unsubscribe(native_);
  }
  end_unless_attached(lock);
}

void subscription::wait_until_drained(std::int64_t milliseconds) noexcept {
  std::unique_lock lock(mutex_);
  if (!to_) return;
  // Not by nats.c's own wait: that would need the lock, for which its last call waits.
  changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return !to_; });
}

void subscription::refuse(std::exception_ptr why) noexcept {
  over_->remove(number_);
  std::unique_lock lock(mutex_);
  ends_ = true;
  why_ = std::move(why);
  end_unless_attached(lock);
}

void subscription::connection_is_lost() noexcept {
  std::shared_ptr<receiver> to;
  {
    const std::lock_guard lock(mutex_);
    if (!ends_) to = to_;
  }
  if (to) to->interrupted();
}

void subscription::connection_has_ended() noexcept {
  std::unique_lock lock(mutex_);
  ends_ = true;
  end_unless_attached(lock);
}

// --- What was dropped. ---------------------------------------------------------------------------

void subscription::note_dropped() const noexcept {
  std::int64_t now = 0;
  if (native_ && natsSubscription_GetDropped(native_, &now) == NATS_OK) {
    native_dropped_ = static_cast<std::uint64_t>(now);
  }
}

std::uint64_t subscription::dropped() const noexcept {
  const std::lock_guard lock(mutex_);
  note_dropped();
  return dropped_ + native_dropped_;
}

// --- Feeds. --------------------------------------------------------------------------------------

namespace {

class forwarder final : public receiver {
 public:
  explicit forwarder(std::shared_ptr<transport::sink> to)
      : to_(std::move(to)), interrupted_sink_(to_) {}

  void stop() noexcept { stopped_ = true; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  void take(message_ptr message) noexcept override {
    if (stopped_) return;
    bool taken = false;
    try {
      from_nats(message.get(), received_);
      done_.add(std::move(message));
      taken = to_->take(std::move(received_), true);
      if (received_.payload.capacity() > most_kept) std::string().swap(received_.payload);
    } catch (const std::bad_alloc&) {
      taken = false;  // without memory it is refused, and counted as such
    }
    if (!taken && !stopped_) ++refused_;
  }

  void caught_up() noexcept override {
    done_.destroy_if_many();
    if (to_) to_->caught_up();
  }

  void interrupted() noexcept override {
    const auto to = interrupted_sink_.lock();
    if (to && !stopped_) to->interrupted();
  }

  // The sink may own the feed, so it is let go here.
  void completed(const std::exception_ptr& why) noexcept override {
    if (why && !stopped_) to_->ended(why);
    to_.reset();
  }

  static constexpr std::size_t most_kept = 16 << 10;

  // For the thread that calls `take`:
  std::shared_ptr<transport::sink> to_;
  envelope received_;  // its memory is used again, if the sink leaves it here
  discarded_messages done_;
  const std::weak_ptr<transport::sink> interrupted_sink_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> refused_{0};
};

class nats_feed final : public transport::feed {
 public:
  nats_feed(std::shared_ptr<forwarder> through, std::shared_ptr<subscription> from)
      : through_(std::move(through)), from_(std::move(from)) {}
  ~nats_feed() override { nats_feed::stop(); }

  void stop() noexcept override {
    through_->stop();
    from_->stop();
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept override {
    return through_->refused() + from_->dropped();
  }

 private:
  const std::shared_ptr<forwarder> through_;
  const std::shared_ptr<subscription> from_;
};

}  // namespace

std::unique_ptr<transport::feed> open_feed(std::shared_ptr<connection> over,
                                           const std::string& pattern, const std::string& group,
                                           int pending_limit, std::shared_ptr<transport::sink> to) {
  auto through = std::make_shared<forwarder>(std::move(to));
  auto from = subscription::open(std::move(over), pattern, group, pending_limit, through);
  return std::make_unique<nats_feed>(std::move(through), std::move(from));
}

}  // namespace msgbus::nats
