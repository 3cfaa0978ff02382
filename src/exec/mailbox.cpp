#include <msgbus/exec/mailbox.hpp>

#include <msgbus/core/error.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::exec {

namespace {

constexpr int batch = 64;  // messages that a lane handles before others get their turn (A11)

// How often a lane that finds nothing lets others run before it ends: starting one costs more, but
// only where many messages come.
int patience_after(std::uint64_t handled) noexcept {
  return static_cast<int>(std::min<std::uint64_t>(handled / 16, 8));
}

}  // namespace

/// What a lane has in hand, and its right to take more: one of the `active_`.
class mailbox::lane {
 public:
  lane(mailbox& in, std::shared_ptr<const void> keep) noexcept
      : mailbox_(&in), keep_(std::move(keep)) {}

  lane(lane&& other) noexcept
      : handled(other.handled),
        idle(other.idle),
        mailbox_(std::exchange(other.mailbox_, nullptr)),
        keep_(std::move(other.keep_)),
        current_(std::exchange(other.current_, nullptr)),
        box_(std::move(other.box_)) {}
  lane& operator=(lane&&) = delete;

  /// Where it has not ended, its executor was destroyed.
  ~lane() {
    if (!mailbox_) return;
    if (current_) done();
    if (mailbox_->context_ended_.load(std::memory_order_acquire)) mailbox_->abandon_rest();
    mailbox_->active_.fetch_sub(1, std::memory_order_seq_cst);
  }

  [[nodiscard]] mailbox& of() const noexcept { return *mailbox_; }

  /// The next message, or null.
  carried* take() {
    if (mailbox_->boxes_) {
      box_ = mailbox_->boxes_->pop();
      current_ = box_.get();
    } else {
      current_ = mailbox_->ring_.take();
    }
    return current_;
  }

  /// What is being handled, for whoever runs on `on`.
  void tell_cause(const lane_executor& on) const {
    const shared_origin* const origin = current_->origin();
    on.state().cause = origin ? *origin : nullptr;
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
    mailbox_->active_.fetch_sub(1, std::memory_order_seq_cst);
    if (mailbox_->ready() && mailbox_->claim_lane()) return false;
    mailbox_ = nullptr;
    return true;
  }

  /// Handles messages until one must be awaited, by `rest`, or a batch is done. False if there was
  /// none and the lane has ended.
  bool run(asio::awaitable<void>& rest) {
    mailbox& in = *mailbox_;
    int taken = 0;
    for (; taken < batch; ++taken) {
      carried* const message = take();
      if (!message) break;
      if (in.discarding_.load(std::memory_order_relaxed)) {
        in.owner_.abandoned(*message);
      } else if (!in.owner_.handle(*message, rest)) {
        in.room_made_for_long(keep_);
        ++handled;
        return true;
      }
      done();
      in.room_made(false);
    }
    in.room_made(true);
    handled += static_cast<std::uint64_t>(taken);
    idle = taken == 0 ? idle + 1 : 0;
    return idle <= patience_after(handled) || !end();
  }

  std::uint64_t handled = 0;
  int idle = 0;

 private:
  mailbox* mailbox_;
  std::shared_ptr<const void> keep_;
  carried* current_ = nullptr;
  owned_message box_;
};

/// A lane as it starts: a plain function on the executor, as long as no handler suspends.
class mailbox::plain_run {
 public:
  explicit plain_run(lane&& mine) noexcept : mine_(std::move(mine)) {}

  void operator()() {
    asio::awaitable<void> rest;
    mailbox& in = mine_.of();
    if (!mine_.run(rest)) return;
    if (rest.valid()) {
      in.start_coroutine(std::move(mine_), std::move(rest));
    } else {
      asio::post(in.executor_, std::move(*this));
    }
  }

 private:
  lane mine_;
};

/// A lane as it goes on once a handler has suspended: a coroutine on a strand.
struct mailbox::strand_run {
  strand_run(lane&& going_on, const asio::any_io_executor& over,
             const std::shared_ptr<const lineage>& waiting)
      : work(work_on(over)),
        executor(make_lane_executor(over, waiting)),
        in(going_on.of()),
        mine(std::move(going_on)) {}
  ~strand_run() {
    const std::lock_guard lock(in.mutex_);
    if (listed) in.running_.erase(place);
  }
  strand_run(const strand_run&) = delete;
  strand_run& operator=(const strand_run&) = delete;

  /// From now on `discard` tells it, on the executor. False if that came before.
  bool may_be_told() {
    const std::lock_guard lock(in.mutex_);
    place = in.running_.insert(in.running_.end(), this);
    listed = true;
    return !in.discarding_.load(std::memory_order_relaxed);
  }

  const asio::any_io_executor work;
  const lane_executor executor;
  mailbox& in;
  lane mine;
  asio::cancellation_signal signal;  // used on the executor only
  std::list<strand_run*>::iterator place;
  bool listed = false;
};

/// One who waits for room. Lives in its coroutine's frame; the mailbox's lock guards it.
struct mailbox::sender {
  explicit sender(mailbox& in) : mailbox_(in) {
    const std::lock_guard lock(mailbox_.mutex_);
    place_ = mailbox_.senders_.insert(mailbox_.senders_.end(), this);
    mailbox_.waiting_.fetch_add(1, std::memory_order_relaxed);
    falls_asleep();
  }

  ~sender() {
    const std::lock_guard lock(mailbox_.mutex_);
    mailbox_.senders_.erase(place_);
    mailbox_.waiting_.fetch_sub(1, std::memory_order_relaxed);
    wakes_up();
    mailbox_.wake_senders_locked();  // the room that this one was woken for may be another's
  }

  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  /// To be followed by an attempt: one who sleeps has seen no room after saying so.
  void falls_asleep() noexcept {
    if (asleep_) return;
    asleep_ = true;
    mailbox_.sleeping_.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // see `room_made`
  }
  void wakes_up() noexcept {
    if (!asleep_) return;
    asleep_ = false;
    mailbox_.sleeping_.fetch_sub(1, std::memory_order_relaxed);
  }

  mailbox& mailbox_;
  std::list<sender*>::iterator place_;
  std::optional<exec::one_shot_event> waiter;

 private:
  bool asleep_ = false;
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
  if (link(executor)) return;
  closed_ = context_ended_ = true;
  executor_ = {};
}

mailbox::~mailbox() {
  unlink_and_release(executor_);
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

bool mailbox::has_place(const sender& waiting) const noexcept {
  // One place each in the order of coming. To ask for room for all would be wrong: when several
  // have just come and none has attempted yet, nobody would wake any of them.
  std::size_t places = room();
  for (const sender* const each : senders_) {
    if (places == 0) return false;
    if (each == &waiting) return true;
    --places;
  }
  return false;
}

std::optional<put> mailbox::attempt(sender& waiting, function_ref<bool()> enqueued) {
  const std::lock_guard lock(mutex_);
  waiting.falls_asleep();
  if (closed_.load(std::memory_order_relaxed)) return put::closed;
  if (has_place(waiting) && enqueued()) return put::taken;
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
    if (each->waiter) {
      each->waiter->set();
      each->wakes_up();
    }
    --places;
  }
}

void mailbox::room_made(bool surely) noexcept {
  // A relaxed look may come too early to see a sender that has just begun to wait; the next look
  // sees it. Where a next look may be long in coming, this one is fenced: either it comes after the
  // sender's own fence, and sees the sender, or the sender's next attempt sees the room.
  if (surely) std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_relaxed) == 0) [[likely]]
    return;
  // Between two messages that are handled at once it pays to wait until there is room for many.
  if (!surely && room() < options_.capacity / 4) return;
  const std::lock_guard lock(mutex_);
  wake_senders_locked();
}

void mailbox::room_made_for_long(const std::shared_ptr<const void>& keep) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_relaxed) == 0) [[likely]]
    return;
  if (room() >= options_.capacity / 4) return room_made(true);
  // A handler is about to be awaited. If it suspends, this runs and wakes whoever there is room
  // for; if it does not, the next messages make more.
  if (nudged_.exchange(true, std::memory_order_relaxed)) return;
  asio::post(executor_, [this, keep] {
    nudged_.store(false, std::memory_order_relaxed);
    room_made(true);
  });
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
  asio::post(executor_, plain_run(lane(*this, owner_.keep())));
}

void mailbox::start_coroutine(lane&& mine, asio::awaitable<void> rest) {
  auto keep = owner_.keep();
  auto run = std::make_shared<strand_run>(std::move(mine), executor_, lineage_);
  const auto slot = run->signal.slot();
  // The signal outlives everything that uses its slot: this holds it until the very end.
  auto ended = [keep = std::move(keep), run](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);  // a lane throws nothing but bad_alloc
  };
  const lane_executor on = run->executor;
  asio::co_spawn(on, go_on(std::move(run), std::move(rest)),
                 asio::bind_cancellation_slot(slot, std::move(ended)));
}

asio::awaitable<void> mailbox::go_on(std::shared_ptr<strand_run> run, asio::awaitable<void> rest) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  // Not before: to be cancelled earlier would end the coroutine before its first line, and from
  // another thread.
  if (!run->may_be_told()) {
    note_told_to_end(run->executor);
    run->signal.emit(asio::cancellation_type::terminal);
  }
  lane& mine = run->mine;
  int awaited = 0;
  do {
    const bool handled = rest.valid();
    if (handled) {
      mine.tell_cause(run->executor);
      co_await std::move(rest);
      mine.done();
      room_made(false);
    }
    // Others get their turn, though no handler may ever suspend (A11).
    if (!handled || ++awaited == batch) {
      awaited = 0;
      if (handled) room_made(true);
      co_await asio::post(asio::use_awaitable);
    }
  } while (mine.run(rest));
}

void mailbox::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_.store(true, std::memory_order_release);
  wake_senders_locked();
}

void mailbox::discard() noexcept {
  discarding_.store(true, std::memory_order_release);
  close();
  const std::lock_guard lock(mutex_);
  // Where that comes later, perhaps on another thread, it waits for the lock.
  if (context_ended_.load(std::memory_order_acquire)) return;
  for (strand_run* const each : running_) {
    note_told_to_end(each->executor);
    // Signals are used on the lane's executor only.
    asio::post(each->executor, [keep = owner_.keep(), this, each] {
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
  const asio::any_io_executor released = std::exchange(executor_, {});
  context_ended_.store(true, std::memory_order_release);
  close();  // senders of other contexts would wait for ever
  // A lane that was started is destroyed with its context, and abandons what is left.
  if (active_.load(std::memory_order_seq_cst) == 0) abandon_rest();
}

}  // namespace msgbus::exec
