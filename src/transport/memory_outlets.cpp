#include "transport/memory_hub.hpp"

#include <msgbus/detail/core/durations.hpp>

#include <asio/post.hpp>

namespace msgbus::transport::memory {

namespace {

// The number of things that an outlet hands out before other work runs.
constexpr int batch = 32;

/// A delivery that is settled at the broker, now or when its connection is back. Constructed under
/// the lock, settled and destroyed without it.
class memory_delivery final : public delivery {
 public:
  memory_delivery(std::shared_ptr<connection> of, durable_ref from, const handout& given)
      : delivery(*given.one, given.times, given.sequence),
        of_(std::move(of)),
        from_(std::move(from)) {
    from_.state->begin(sequence, times);
  }
  ~memory_delivery() override {
    if (settled_) return;
    hub_lock lock(of_->at());
    if (of_->closed()) return;
    from_.state->let_go(sequence, times, lock.in().now(*of_));
    lock.in().hand_out(from_);  // sources with credit now wait for the end of `ack_wait`
  }

  bool ack() noexcept override { return settle(); }
  bool term() noexcept override { return settle(); }

  bool nak(std::chrono::nanoseconds delay) noexcept override {
    return act([from = from_, by = of_, sequence = sequence, times = times, delay](hub_lock& lock) {
      const time_point now = lock.in().now(*by);
      const bool waits = delay > std::chrono::nanoseconds::zero();
      from.state->nak(sequence, times, waits ? detail::saturating_add(now, delay) : now);
      lock.in().hand_out(from);
    });
  }

 private:
  bool settle() noexcept {
    return act([from = from_, sequence = sequence](hub_lock& lock) {
      from.state->settle(sequence);
      lock.in().hand_out(from);
    });
  }

  template <class Act>
  bool act(Act act) noexcept {
    hub_lock lock(of_->at());
    if (of_->closed()) return false;
    settled_ = true;
    of_->do_or_keep(lock, std::move(act));
    return true;
  }

  const std::shared_ptr<connection> of_;
  const durable_ref from_;
  bool settled_ = false;
};

}  // namespace

// --- Outlets. ------------------------------------------------------------------------------------

void outlet::schedule() {
  if (posted_) return;
  posted_ = true;
  post();
}

// Called under the lock. The context exists until the connection's `context_ended` has run.
void outlet::post() {
  if (!of_->context_is_there()) return;
  asio::post(of_->executor(), [self = shared_from_this()] { self->run(); });
}

void outlet::run() {
  for (int given = 0; given < batch; ++given) {
    if (!give_one()) return;
  }
  const hub_lock lock(of_->at());
  post();
}

// --- Subscriptions. ------------------------------------------------------------------------------

void feed_end::push(const message& one) {
  if (waiting_.size() >= of().options().pending_limit) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  waiting_.push_back(one);
  schedule();
}

void feed_end::interrupt() {
  waiting_.push_back(nullptr);
  schedule();
}

bool feed_end::give_one() {
  std::shared_ptr<sink> to;
  message one;
  {
    const hub_lock lock(of().at());
    if (!to_ || waiting_.empty()) {
      rest();
      return false;
    }
    to = to_;
    one = std::move(waiting_.front());
    waiting_.pop_front();
  }
  if (!one) {
    to->interrupted();
    return true;
  }
  envelope given(*one);
  if (!to->take(std::move(given), false)) dropped_.fetch_add(1, std::memory_order_relaxed);
  to->caught_up();
  return true;
}

void feed_end::stop(hub_lock& lock) {
  lock.in().remove(*this);
  waiting_.clear();
  lock.drop(std::move(to_));
}

// --- Sources. ------------------------------------------------------------------------------------

source_end::source_end(std::shared_ptr<connection> of, std::uint64_t number, durable_ref from,
                       std::shared_ptr<delivery_sink> to)
    : outlet(std::move(of), number),
      from_(std::move(from)),
      to_(std::move(to)),
      timer_(this->of().executor()) {}

void source_end::push(handout given) {
  waiting_.push_back(std::move(given));
  schedule();
}

void source_end::ask(hub_lock& lock, std::size_t more) {
  if (!to_ || ended_) return;
  from_.state->ask(number(), more);
  if (!of().away()) lock.in().hand_out(from_);
}

void source_end::set_away(bool away) { from_.state->pause(number(), away); }

bool source_end::give_one() {
  std::shared_ptr<delivery_sink> to;
  std::unique_ptr<delivery> given;
  std::exception_ptr ended;
  {
    hub_lock lock(of().at());
    while (to_ && !waiting_.empty() && !given) {
      const handout next = std::move(waiting_.front());
      waiting_.pop_front();
      if (from_.state->holds(next.sequence, next.times)) {
        given = std::make_unique<memory_delivery>(of().shared_from_this(), from_, next);
      } else {
        ask(lock, 1);  // it was settled, or its `ack_wait` ended, before it was handed out
      }
    }
    if (!to_ || (!given && !ended_)) {
      rest();
      return false;
    }
    to = to_;
    if (!given) {
      ended = ended_;
      lock.drop(std::move(to_));
    }
  }
  if (given) {
    to->take(std::move(given));
  } else {
    to->ended(ended);
  }
  return true;
}

void source_end::wait_for_due(time_point now) {
  const auto due = from_.state->next_due();
  if (!due || !from_.state->waits(number())) {
    if (timer_due_) timer_.cancel();
    timer_due_.reset();
    return;
  }
  if (timer_due_ && *timer_due_ <= *due) return;  // a timer already runs
  timer_due_ = due;
  timer_.start(detail::saturating_sub(*due, now), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) static_cast<source_end&>(*self).look_again();
  });
}

void source_end::look_again() {
  hub_lock lock(of().at());
  timer_due_.reset();
  if (of().closed()) return;
  (void)lock.in().now(of());
  lock.in().hand_out(from_);
}

void source_end::leave() {
  timer_.cancel();
  timer_due_.reset();
  for (const handout& each : waiting_) from_.state->give_back(each.sequence, each.times);
  waiting_.clear();
  from_.state->leave(number());
}

void source_end::stop(hub_lock& lock) {
  if (!to_) return;
  lock.drop(std::move(to_));
  if (ended_) return;
  lock.in().remove(*this);
  leave();
  lock.in().hand_out(from_);
}

void source_end::end(hub_lock& lock, std::exception_ptr why) {
  lock.in().remove(*this);
  leave();
  ended_ = std::move(why);
  if (of().context_is_there()) {
    schedule();
  } else {
    lock.drop(std::move(to_));
  }
}

}  // namespace msgbus::transport::memory
