#include <msgbus/exec/mailbox.hpp>

#include <msgbus/core/error.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus::exec {

namespace {

constexpr int batch = 64;  // messages that a lane handles before others get their turn (A11)
// How often a lane that finds nothing lets others run before it ends: starting one costs more.
constexpr int patience = 8;

}  // namespace

/// One run of a lane, from its start to its end. Its coroutine owns it.
class mailbox::lane {
 public:
  lane(mailbox& in, std::shared_ptr<const void> keep)
      : mailbox_(in), keep_(std::move(keep)), executor_(in.executor_, in.lineage_) {
    const std::lock_guard lock(mailbox_.mutex_);
    place_ = mailbox_.running_.insert(mailbox_.running_.end(), this);
  }

  /// Runs at the lane's end, and also if its executor is destroyed first.
  ~lane() {
    if (current_) {
      mailbox_.owner_.cut_off(*current_);
      done();
    }
    {
      const std::lock_guard lock(mailbox_.mutex_);
      mailbox_.running_.erase(place_);
    }
    if (!ended_) {
      if (mailbox_.context_ended_.load(std::memory_order_acquire)) mailbox_.abandon_rest();
      mailbox_.active_.fetch_sub(1, std::memory_order_seq_cst);
    }
  }

  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  /// The next message, or null.
  carried* take() {
    if (mailbox_.boxes_) {
      box_ = mailbox_.boxes_->pop();
      current_ = box_.get();
    } else {
      current_ = mailbox_.ring_.take();
    }
    return current_;
  }

  /// The message that was taken is done with.
  void done() noexcept {
    if (box_) {
      box_.reset();
    } else {
      ring::destroy(*current_);
    }
    current_ = nullptr;
  }

  /// Ends the lane, unless a message has come meanwhile.
  bool end() noexcept {
    // Sequentially consistent, as is `ready`: see `mailbox::started`.
    mailbox_.active_.fetch_sub(1, std::memory_order_seq_cst);
    if (mailbox_.ready() && mailbox_.claim_lane()) return false;
    ended_ = true;
    return true;
  }

  [[nodiscard]] const lane_executor& executor() const noexcept { return executor_; }

  asio::cancellation_signal signal;  // used on the lane's executor only

 private:
  mailbox& mailbox_;
  const std::shared_ptr<const void> keep_;
  const lane_executor executor_;
  std::list<lane*>::iterator place_;
  carried* current_ = nullptr;
  owned_message box_;
  bool ended_ = false;
};

/// One who waits for room. Lives in its coroutine's frame; the mailbox's lock guards it.
struct mailbox::sender {
  explicit sender(mailbox& in) : mailbox_(in) {
    const std::lock_guard lock(mailbox_.mutex_);
    place_ = mailbox_.senders_.insert(mailbox_.senders_.end(), this);
    // Acquire and release: who makes room comes after this and sees the sender, or before it, and
    // then the sender's next attempt finds the room.
    mailbox_.waiting_.fetch_add(1, std::memory_order_acq_rel);
  }

  ~sender() {
    const std::lock_guard lock(mailbox_.mutex_);
    mailbox_.senders_.erase(place_);
    mailbox_.waiting_.fetch_sub(1, std::memory_order_acq_rel);
    mailbox_.wake_senders_locked();  // the room that this one was woken for may be another's
  }

  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  mailbox& mailbox_;
  std::list<sender*>::iterator place_;
  std::optional<exec::waiter> waiter;
};

mailbox::mailbox(const asio::any_io_executor& executor, const mailbox_options& options,
                 mailbox_owner& owner)
    : executor_(executor),
      options_(options),
      owner_(owner),
      lineage_(std::make_shared<const lineage>(lineage{this, nullptr})),
      lanes_(static_cast<unsigned>(std::clamp<std::size_t>(options.concurrency, 1, 1 << 16))),
      boxes_(make_box_queue(options)),
      ring_(options.capacity) {
  if (!link(executor)) closed_ = context_ended_ = true;
}

mailbox::~mailbox() {
  unlink();
  abandon_rest();
}

std::size_t mailbox::room() const noexcept {
  const std::size_t capacity = std::max<std::size_t>(options_.capacity, 1);
  const std::size_t used = size();
  return used < capacity ? capacity - used : 0;
}

bool mailbox::enqueue_box(owned_message& message) {
  owned_message displaced;
  const bool taken = boxes_->try_push(message, displaced);
  if (displaced) owner_.dropped(*displaced);
  return taken;
}

put mailbox::try_put_behind(function_ref<bool()> enqueued) {
  {
    const std::lock_guard lock(mutex_);
    // Those who wait are entitled to a place each.
    if (room() <= senders_.size() || !enqueued()) return when_full();
  }
  return started();
}

std::optional<put> mailbox::attempt(sender& waiting, function_ref<bool()> enqueued) {
  const std::lock_guard lock(mutex_);
  if (closed_.load(std::memory_order_relaxed)) return put::closed;
  // One that has just come goes behind those who wait, unless there is room for all of them.
  if (!waiting.waiter && room() < senders_.size()) {
    waiting.waiter.emplace();
    return std::nullopt;
  }
  if (enqueued()) return put::taken;
  waiting.waiter.emplace();
  return std::nullopt;
}

asio::awaitable<put> mailbox::wait_for_room(function_ref<bool()> enqueued,
                                            const asio::any_io_executor& here) {
  if (is_waited_for(here, this)) {
    throw error(errc::would_deadlock,
                "a handler sends to the mailbox that waits for it, which is full (capacity " +
                    std::to_string(options_.capacity) + ")");
  }
  sender waiting(*this);
  for (;;) {
    if (const std::optional<put> result = attempt(waiting, enqueued)) {
      if (*result == put::taken) started();
      co_return *result;
    }
    co_await waiting.waiter->wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw asio::system_error(asio::error::operation_aborted, "send");
    }
  }
}

void mailbox::wake_senders_locked() noexcept {
  const bool all = closed_.load(std::memory_order_relaxed);
  std::size_t places = all ? senders_.size() : room();
  for (sender* const each : senders_) {
    if (places == 0) break;
    if (each->waiter) each->waiter->wake();
    --places;
  }
}

void mailbox::room_made(bool surely) noexcept {
  // A relaxed look may come too early to see a sender that has just begun to wait; the next look
  // sees it. Where a next look may be long in coming, this one is a read-modify-write: it comes
  // after the sender's own one and sees it, or before, and the sender sees the room.
  const std::size_t waiting = surely ? waiting_.fetch_add(0, std::memory_order_acq_rel)
                                     : waiting_.load(std::memory_order_relaxed);
  if (waiting == 0) [[likely]]
    return;
  const std::lock_guard lock(mutex_);
  wake_senders_locked();
}

bool mailbox::claim_lane() noexcept {
  unsigned active = active_.load(std::memory_order_seq_cst);
  do {
    if (active >= lanes_) return false;
  } while (!active_.compare_exchange_weak(active, active + 1, std::memory_order_seq_cst));
  return true;
}

void mailbox::start_lane() {
  if (context_ended_.load(std::memory_order_acquire) || !claim_lane()) return;
  auto made = std::make_shared<lane>(*this, owner_.keep());
  const auto slot = made->signal.slot();
  // The lane outlives everything that uses its signal's slot: this holds it until the very end.
  auto ended = [made](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);  // a lane throws nothing but bad_alloc
  };
  const lane_executor on = made->executor();
  asio::co_spawn(on, run(std::move(made)), asio::bind_cancellation_slot(slot, std::move(ended)));
}

asio::awaitable<void> mailbox::run(std::shared_ptr<lane> mine) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  int idle = 0;
  for (;;) {
    int handled = 0;
    while (handled < batch) {
      carried* const message = mine->take();
      if (!message) break;
      ++handled;
      if (discarding_.load(std::memory_order_relaxed)) {
        owner_.abandoned(*message);
      } else {
        asio::awaitable<void> rest;
        if (!owner_.handle(*message, rest)) {
          room_made(true);
          co_await std::move(rest);
        }
      }
      mine->done();
      room_made(false);
    }
    room_made(true);
    idle = handled == 0 ? idle + 1 : 0;
    if (idle > patience && mine->end()) co_return;
    co_await asio::post(asio::use_awaitable);
  }
}

void mailbox::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_.store(true, std::memory_order_release);
  wake_senders_locked();
}

void mailbox::discard() noexcept {
  discarding_.store(true, std::memory_order_relaxed);
  close();
  const std::lock_guard lock(mutex_);
  for (lane* const each : running_) {
    // Signals are used on the lane's executor only.
    asio::post(each->executor(), [keep = owner_.keep(), this, each] {
      bool there = false;
      {
        const std::lock_guard again(mutex_);
        there = std::find(running_.begin(), running_.end(), each) != running_.end();
      }
      if (there) each->signal.emit(asio::cancellation_type::terminal);
    });
  }
}

void mailbox::abandon_rest() noexcept {
  if (boxes_) {
    while (const owned_message each = boxes_->pop()) owner_.abandoned(*each);
  } else {
    while (carried* const each = ring_.take()) {
      owner_.abandoned(*each);
      ring::destroy(*each);
    }
  }
}

void mailbox::context_ended() noexcept {
  closed_.store(true, std::memory_order_release);
  context_ended_.store(true, std::memory_order_release);
  // A lane that was started is destroyed with its context, and abandons what is left.
  if (active_.load(std::memory_order_seq_cst) == 0) abandon_rest();
}

}  // namespace msgbus::exec
