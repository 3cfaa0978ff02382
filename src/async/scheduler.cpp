#include "async/scheduler.hpp"

#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/error.hpp>

#include "async/fan_out_schedule.hpp"
#include "observe/active_span.hpp"

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <vector>

namespace msgbus::async::detail {

namespace {

constexpr unsigned batch_of_due = 64;  // that are sent before others get their turn (A11)

}  // namespace

recurring::recurring(schedule_duration every, occurrence_maker makes, missed options)
    : period(every),
      late(options),
      maker(std::move(makes)),
      cause(msgbus::detail::cause_to_keep()) {
  if (period > schedule_duration::zero()) return;
  throw error(errc::bad_arguments, "every() needs a period above zero for " + maker.message +
                                       ", not " + std::to_string(period.count()) + " ns");
}

exec::shared_message recurring::make() const {
  const cause_scope scope(&cause);
  return maker.make();
}

// --- the right to send due messages ----------------------------------------------------------

/// Held by one function or coroutine at a time. When it ends, wherever that is, the timer is armed
/// for what is due next.
class scheduler::turn {
 public:
  turn(std::shared_ptr<scheduler> in, std::shared_ptr<component_core> of) noexcept
      : to(std::move(of)), in_(std::move(in)) {}
  turn(turn&& other) noexcept : to(std::move(other.to)), in_(std::move(other.in_)) {}
  turn& operator=(turn&&) = delete;
  ~turn() {
    if (!in_) return;
    const std::lock_guard lock(in_->mutex_);
    in_->pumping_ = false;
    in_->arm(*to);
  }

  [[nodiscard]] scheduler& in() const noexcept { return *in_; }

  std::shared_ptr<component_core> to;

 private:
  std::shared_ptr<scheduler> in_;  // null: it was moved from
};

/// A message that is due. If it is destroyed before it is settled, it is abandoned. Its owner also
/// has the turn, which outlives it.
class scheduler::due_message {
 public:
  due_message(const turn& mine, exec::shared_message message) noexcept
      : in_(&mine.in()), to_(mine.to.get()), message_(std::move(message)) {}
  due_message(due_message&& other) noexcept = default;
  due_message& operator=(due_message&&) = delete;
  ~due_message() {
    if (message_) give_up();
  }

  [[nodiscard]] exec::send_operation on_its_way() const {
    exec::send_operation out(message_);
    out.mark_scheduled();
    return out;
  }

  /// The mailbox has decided.
  void settle(exec::put result, const exec::send_operation& out) {
    if (result == exec::put::closed) return give_up();
    (void)receipt_for(result, *to_, out);
    forget();
  }
  /// It is not sent, and counts nowhere: it was cancelled.
  void forget() noexcept {
    message_.reset();
    in_->settled(*to_);
  }

 private:
  void give_up() noexcept {
    bool reported = false;
    {
      const std::lock_guard lock(in_->mutex_);
      reported = in_->reported_;
    }
    to_->give_up_scheduled(*message_, reported);
    forget();
  }

  scheduler* in_;
  component_core* to_;
  exec::shared_message message_;  // null: it is settled
};

/// A message that waits for space.
struct scheduler::on_its_way {
  turn mine;  // destroyed last
  due_message message;
  taken from;
};

// --- the driver ------------------------------------------------------------------------------

scheduler::scheduler(component_core& of) : core_(of.self()), timer_(of.executor()) {}

std::shared_ptr<scheduler> scheduler::make(component_core& of) {
  auto made = std::make_shared<scheduler>(of);
  if (!made->link(of.executor())) made->phase_ = phase::over;
  return made;
}

scheduler::~scheduler() { unlink(); }

std::optional<exec::due_key> scheduler::add(component_core& to, schedule_time due,
                                            scheduled_item& added) {
  const bool is_message = added.message != nullptr;
  const std::lock_guard lock(mutex_);
  if (phase_ != phase::open || to.closed()) return std::nullopt;
  const exec::due_key key = queue_.add(due);
  try {
    if (items_.size() <= key.slot) items_.resize(key.slot + 1);
    arm(to);
  } catch (...) {
    queue_.remove(key);
    throw;
  }
  if (added.every) added.every->next_due = due;
  std::swap(items_[key.slot], added);
  if (is_message) {
    pending_.fetch_add(1, std::memory_order_relaxed);
    total_.fetch_add(1, std::memory_order_relaxed);
  }
  return key;
}

bool scheduler::again(component_core& to, const exec::due_key& key, schedule_time due,
                      std::shared_ptr<recurring>& every) {
  const std::lock_guard lock(mutex_);
  if (phase_ != phase::open || !queue_.again(key, due)) return false;
  every->next_due = due;
  items_[key.slot].every = std::move(every);
  arm(to);
  return true;
}

bool scheduler::cancel(const exec::due_key& key) noexcept {
  scheduled_item cancelled;  // destroyed without the lock
  const std::shared_ptr<component_core> of = core_.lock();
  {
    const std::lock_guard lock(mutex_);
    if (!queue_.remove(key)) return false;
    std::swap(cancelled, items_[key.slot]);
    if (queue_.size() == 0) {
      items_.clear();
      if (!pumping_ && armed_ != never) {
        timer_.cancel();  // it is no work of the context any more
        armed_ = never;
      }
    }
  }
  if (of && cancelled.message) settled(*of);
  return true;
}

bool scheduler::is_scheduled(const exec::due_key& key) const noexcept {
  const std::lock_guard lock(mutex_);
  return queue_.contains(key);
}

// Under the lock. A timer that looks too early does no harm.
void scheduler::arm(const component_core& of) {
  if (pumping_) return;
  const auto next = queue_.next();
  if (!next || *next >= armed_) return;
  timer_.start(saturating_sub(*next, exec::now(of.executor())), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_time();
  });
  armed_ = *next;
}

void scheduler::on_time() {
  std::shared_ptr<component_core> to = core_.lock();
  if (!to) return;
  {
    const std::lock_guard lock(mutex_);
    armed_ = never;
    if (pumping_) return;
    pumping_ = true;
  }
  pump(turn(shared_from_this(), std::move(to)));
}

std::optional<scheduler::taken> scheduler::take(schedule_time now) noexcept {
  const std::lock_guard lock(mutex_);
  const auto due = queue_.take(now);
  if (!due) return std::nullopt;
  taken next{due->key, due->due, std::exchange(items_[due->key.slot], {})};
  if (!next.item.every) {
    queue_.finish(due->key);
  } else if (!next.item.every->of_fan_out()) {
    pending_.fetch_add(1, std::memory_order_relaxed);  // the message that is made next
  }
  if (queue_.size() == 0) items_.clear();
  prefetch_upcoming();
  return next;
}

// Entries are due in another order than they lie in memory. While one is sent, the memory of the
// next ones comes: of the second, its item; and with that, its message when it is the first.
void scheduler::prefetch_upcoming() const noexcept {
  const auto [first, second] = queue_.prefetch_upcoming();
  if (second < items_.size()) exec::prefetch(&items_[second]);
  if (first >= items_.size()) return;
  const auto* const message = reinterpret_cast<const char*>(items_[first].message.get());
  if (!message) return;
  exec::prefetch(message);
  exec::prefetch(message + 64);
}

void scheduler::pump(turn mine) {
  schedule_time now = exec::now(mine.to->executor());
  for (unsigned sent = 0; sent < batch_of_due; ++sent) {
    std::optional<taken> next = mine.in().take(now);
    if (!next) {
      // A look at the clock is dear: once for all that is due by then.
      now = exec::now(mine.to->executor());
      next = mine.in().take(now);
    }
    if (!next || !send(std::move(*next), mine)) return;
  }
  const asio::any_io_executor on = mine.to->executor();
  asio::post(on, [mine = std::move(mine)]() mutable { pump(std::move(mine)); });
}

// False: a coroutine goes on, and has the turn.
bool scheduler::send(taken&& due, turn& mine) {
  if (due.item.every) return occur(std::move(due), mine);
  due_message message(mine, std::move(due.item.message));
  if (due.item.ticket && !due.item.ticket->begin()) {
    message.forget();
    return true;
  }
  return enter(std::move(message), std::move(due), mine);
}

bool scheduler::occur(taken&& due, turn& mine) {
  if (fan_out_every* const of_all = due.item.every->of_fan_out()) {
    of_all->occur(mine.to, due.due);
    return true;
  }
  exec::shared_message made;
  try {
    made = due.item.every->make();
  } catch (...) {
    mine.to->failed_to_make(due.item.every->step(), std::current_exception());
    mine.in().settled(*mine.to);
    mine.in().again_after(std::move(due), *mine.to);
    return true;
  }
  mine.in().total_.fetch_add(1, std::memory_order_relaxed);
  return enter(due_message(mine, std::move(made)), std::move(due), mine);
}

bool scheduler::enter(due_message&& message, taken&& due, turn& mine) {
  component_core& to = *mine.to;
  exec::send_operation out = message.on_its_way();
  const exec::put result = offer(to, out);
  if (result == exec::put::full && waits_when_full(to)) {
    const asio::any_io_executor on = to.executor();
    std::unique_ptr<on_its_way> way(
        new on_its_way{std::move(mine), std::move(message), std::move(due)});
    asio::co_spawn(on, wait_for_space(std::move(way)), [](std::exception_ptr failed) {
      if (failed) std::rethrow_exception(failed);  // nothing else than bad_alloc
    });
    return false;
  }
  message.settle(result, out);
  mine.in().again_after(std::move(due), to);
  return true;
}

asio::awaitable<void> scheduler::wait_for_space(std::unique_ptr<on_its_way> way) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  component_core& to = *way->mine.to;
  exec::send_operation out = way->message.on_its_way();
  const exec::put result = co_await to.mailbox.put_when_space(out, here);
  way->message.settle(result, out);
  way->mine.in().again_after(std::move(way->from), to);
  pump(std::move(way->mine));
}

void scheduler::again_after(taken&& sent, component_core& to) {
  const recurring* const every = sent.item.every.get();
  if (!every) return;
  const schedule_time next = every->time_after(sent.due, exec::now(to.executor()));
  (void)again(to, sent.key, next, sent.item.every);  // unless it was cancelled
}

void scheduler::settled(component_core& of) noexcept {
  // Under a guard: a drain that begins meanwhile looks after it, or is seen here.
  const routing::guard guard(of.routes().guarded());
  of.scheduled_offered();
  // Release: the mailbox has counted the message, or nobody will.
  pending_.fetch_sub(1, std::memory_order_release);
  of.scheduled_settled();
}

// --- the end ---------------------------------------------------------------------------------

void scheduler::finish(component_core& of) noexcept {
  std::vector<std::shared_ptr<recurring>> ended;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != phase::open) return;
    phase_ = phase::finishing;
    for (std::size_t slot = 0; slot < queue_.slots(); ++slot) {
      const exec::due_key key = queue_.in_slot(slot);
      if (!queue_.contains(key) || items_[slot].message) continue;
      if (items_[slot].every) ended.push_back(std::exchange(items_[slot].every, nullptr));
      queue_.remove(key);  // also one that is in hand
    }
  }
  for (const auto& each : ended) leave(*each, of);
}

void scheduler::give_up_what_never_comes(component_core& of) {
  std::vector<exec::due_key> all;
  {
    const std::lock_guard lock(mutex_);
    all = queue_.never_due();
  }
  for (const exec::due_key& key : all) {
    scheduled_item item;
    {
      const std::lock_guard lock(mutex_);
      if (!queue_.remove(key)) continue;  // cancelled meanwhile
      std::swap(item, items_[key.slot]);
    }
    if (!item.ticket || item.ticket->give_up()) of.give_up_scheduled(*item.message, true);
    item = {};
    settled(of);
  }
}

void scheduler::end(component_core& of, bool reported) noexcept {
  exec::due_queue queue;
  std::deque<scheduled_item> items;
  {
    const std::lock_guard lock(mutex_);
    phase_ = phase::over;
    reported_ = reported_ || reported;
    std::swap(queue, queue_);
    std::swap(items, items_);
    timer_.cancel();
    armed_ = never;
  }
  // In the order in which they would have been sent.
  while (const auto each = queue.take_first()) {
    scheduled_item& item = items[each->key.slot];
    if (item.every) {
      leave(*item.every, of);
      continue;
    }
    if (!item.ticket || item.ticket->give_up()) of.give_up_scheduled(*item.message, reported);
    item = {};
    settled(of);
  }
}

void scheduler::leave(recurring& ended, component_core& of) noexcept {
  if (fan_out_every* const of_all = ended.of_fan_out()) of_all->move_on(of);
}

void scheduler::context_ended() noexcept {
  const auto self = weak_from_this().lock();
  if (const std::shared_ptr<component_core> of = core_.lock(); self && of) end(*of, false);
}

}  // namespace msgbus::async::detail
