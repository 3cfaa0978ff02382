// Links that bring messages in at least once: source -> inbox -> decoded -> mailbox -> settled by
// what became of it.
//
// One delivery is, in this order: held by the transport; in the inbox; in a `tracked`, which the
// message carries through the mailbox; settled. Whoever takes it out of its `tracked` settles it:
// the component that tells the outcome, the link that cannot hand it over, or the end of the
// `tracked`, where nobody else has. Each settled one lets the source give one more, so that never
// more than `max_in_flight` are on their way and the server holds back the rest. A request for each
// would cost the server as much as the message: what is free is asked for when it is a quarter of
// all, when nothing is on its way, or a millisecond later.
//
// The transport keeps what lives unsettled. What has failed, and what was handed back, is counted
// here by its place in the stream, since the stream only counts deliveries.

#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/bridge/detail/letter_store.hpp>
#include <msgbus/bridge/detail/link_base.hpp>
#include <msgbus/bridge/detail/tries.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/core/topic.hpp>
#include <msgbus/exec/timer.hpp>
#include <msgbus/policy/backoff.hpp>
#include <msgbus/transport/inbox.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <limits>

namespace msgbus::bridging {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_unasked = 1ms;

class durable_link final : public link_base,
                           public transport::delivery_sink,
                           public std::enable_shared_from_this<durable_link> {
 public:
  durable_link(std::shared_ptr<hub> over, std::string called, receiving_end to, durable_options how)
      : link_base(std::move(over), std::move(called)),
        to_(std::move(to)),
        how_(std::move(how)),
        stream_(std::make_shared<const std::string>(how_.stream)),
        rule_{how_.max_deliver, how_.backoff, how_.max_backoff, how_.jitter},
        window_(std::max<std::size_t>(
            how_.max_in_flight != 0 ? how_.max_in_flight : to_.component->mailbox.capacity(), 1)),
        inbox_(std::numeric_limits<std::size_t>::max()),
        asking_(hub_->executor()) {}
  ~durable_link() override { durable_link::cancel(); }

  static asio::awaitable<void> start(std::shared_ptr<durable_link> self, std::string pattern) {
    transport::pull_options which;
    which.stream = self->how_.stream;
    which.durable = self->how_.durable;
    which.filter = std::move(pattern);
    which.ack_wait = self->how_.ack_wait;
    auto found = self->hub_->wire->pull(std::move(which), self);
    self->source_ = co_await std::move(found);
    launch(self->hub_, self->hub_->executor(), self->name(), pump(self));
    self->source_->ask(self->window_);
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    if (source_) source_->stop();
    if (hub_->executor()) {
      inbox_.close();  // what is in it is still handled
    } else {
      inbox_.discard();  // the coroutine that takes has gone with its context, or never began
    }
  }

  [[nodiscard]] link_counters stats() const noexcept override {
    link_counters all;
    all.received = read_count(received_);
    all.redelivered = read_count(redelivered_);
    all.admitted = read_count(admitted_);
    all.undecodable = read_count(undecodable_);
    all.refused = read_count(refused_);
    all.acks = read_count(acks_);
    all.naks = read_count(naks_);
    all.buried = read_count(buried_);
    all.unsettled = read_count(unsettled_);
    all.shortened = read_count(shortened_);
    const std::lock_guard lock(mutex_);
    all.in_flight = held_;
    return all;
  }

  void take(std::unique_ptr<transport::delivery> received) noexcept override {
    add(received_);
    // Messages come in the order of their stream, unless they come again. A server that was killed
    // may have forgotten what it delivered last, and how often.
    const bool came_before = received->sequence <= last_place_;
    last_place_ = std::max(last_place_, received->sequence);
    if (came_before || received->times > 1) add(redelivered_);
    auto mine = std::make_shared<tracked>(shared_from_this(), std::move(received), came_before);
    if (!inbox_.put(std::move(mine), false)) add(refused_);  // and it is given back
  }

  void ended(std::exception_ptr why) noexcept override {
    if (!deactivate()) return;
    inbox_.close();
    hub_->failed(name(), why);
  }

 private:
  /// A delivery that leaves its `tracked`, to be settled.
  struct leaving {
    std::unique_ptr<transport::delivery> delivery;
    std::string id;
    message_tries before;  // this delivery not included
    settlement how;
    std::string reason;           // of what is given up
    exec::wait_group::task busy;  // the same

    [[nodiscard]] unsigned attempts() const noexcept {
      const unsigned this_one = before.attempt(delivery->times);
      return before.reason.empty() ? this_one : this_one - 1;  // it was given up before this one
    }
  };

  /// A delivery between the transport and what became of it.
  class tracked final : public exec::outcome_listener {
   public:
    tracked(std::shared_ptr<durable_link> of, std::unique_ptr<transport::delivery> one,
            bool came_before)
        : link_(std::move(of)), busy_(link_->hub_->busy), delivery_(std::move(one)) {
      before_.came_before = came_before;
      const std::lock_guard lock(link_->mutex_);
      ++link_->held_;
    }
    ~tracked() { settled(outcome::abandoned, 0, {}); }
    tracked(const tracked&) = delete;
    tracked& operator=(const tracked&) = delete;

    // Of these two only the first call does anything.

    void settled(outcome what, std::size_t ran, const failures& failed) noexcept override {
      std::unique_lock lock(link_->mutex_);
      if (!delivery_) return;
      if (what == outcome::handled && ran > 0) [[likely]] {
        link_->tries_.forget(delivery_->sequence);
        const std::unique_ptr<transport::delivery> done = std::move(delivery_);
        lock.unlock();
        link_->counted(done->ack(), link_->acks_);
        link_->one_less();
        return;
      }
      const settlement how = decide(what, ran);
      leave(std::move(lock), how, how.how == settling::bury ? reason_of(failed) : std::string());
    }
    void give_up(std::string reason) noexcept {
      std::unique_lock lock(link_->mutex_);
      if (delivery_) leave(std::move(lock), {settling::bury, {}}, std::move(reason));
    }

    /// Before it is in a mailbox: why it must not be handled; empty if it may be.
    [[nodiscard]] std::string why_not() {
      {
        const std::lock_guard lock(link_->mutex_);
        const bool came_before = before_.came_before;
        before_ = seen();
        before_.came_before = came_before;
      }
      if (!before_.reason.empty()) return before_.reason;
      const unsigned limit = link_->how_.crash_limit;
      const unsigned unseen = before_.unseen(delivery_->times);
      if (limit == 0 || unseen < limit) return {};
      return "it was delivered " + std::to_string(unseen) +
             " times without being settled; its handler may end the process";
    }
    /// Before it is in a mailbox.
    [[nodiscard]] const envelope& message() const noexcept { return delivery_->message; }
    /// Before it is in a mailbox, once: what came with it. From then on that has its headers.
    [[nodiscard]] shared_origin take_origin() {
      headers& received = delivery_->message.headers;
      const bool has_id = !header_of(received, header::message_id).empty();
      auto made = origin_of(std::move(received), before_.attempt(delivery_->times),
                            has_id ? std::string() : link_->place_of(*delivery_));
      made->stream = link_->stream_;
      made->sequence = delivery_->sequence;
      origin_ = std::move(made);
      return origin_;
    }

   private:
    // With the lock.

    [[nodiscard]] settlement decide(outcome what, std::size_t ran) {
      tries& all = link_->tries_;
      unsigned times = 0;
      if (is_failure(what, ran)) {
        times = all.failed(delivery_->sequence, digest());
      } else {
        times = all.handed_back(delivery_->sequence, digest());
      }
      return bridging::settle(what, ran, times, link_->rule_, random_part());
    }
    void leave(std::unique_lock<std::mutex> lock, const settlement& how,
               std::string reason) noexcept {
      leaving one{std::move(delivery_), {}, {}, how, std::move(reason), {}};
      if (how.how == settling::bury) {
        one.before = before_;
        one.id = id_of(*one.delivery);
        one.busy = exec::wait_group::task(link_->hub_->busy);
      }
      lock.unlock();
      if (how.how == settling::bury && origin_) one.delivery->message.headers = origin_->headers;
      link_->settle(std::move(one));
    }
    [[nodiscard]] std::string id_of(const transport::delivery& one) const {
      const headers& all = origin_ ? origin_->headers : one.message.headers;
      std::string id(header_of(all, header::message_id));
      return id.empty() ? link_->place_of(one) : id;
    }
    [[nodiscard]] std::uint64_t digest() const {
      return message_digest(id_of(*delivery_), delivery_->message.payload);
    }
    [[nodiscard]] message_tries seen() const {
      const std::uint64_t place = delivery_->sequence;
      return link_->tries_.knows(place) ? link_->tries_.find(place, digest()) : message_tries();
    }

    const std::shared_ptr<durable_link> link_;
    const exec::wait_group::task busy_;
    std::unique_ptr<transport::delivery> delivery_;  // null once it is settled
    shared_origin origin_;                           // null until it is decoded
    message_tries before_;
  };

  static asio::awaitable<void> pump(std::shared_ptr<durable_link> self) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const transport::inbox<std::shared_ptr<tracked>>::taker taking(self->inbox_);
    const exec::wait_group::task pumping(self->hub_->busy);
    for (;;) {
      std::vector<std::shared_ptr<tracked>> batch = co_await self->inbox_.take();
      if (batch.empty()) co_return;
      for (std::shared_ptr<tracked>& each : batch) {
        const std::shared_ptr<tracked> mine = std::move(each);
        const exec::shared_message message = self->decoded(mine);
        if (!message) continue;
        exec::send_operation out(message);
        const receipt given = co_await async::detail::send_to(*self->to_.component, out, here);
        if (given.admitted != 0) {
          add(self->admitted_);
          continue;
        }
        add(self->refused_);
        mine->settled(self->to_.component->closed() ? outcome::abandoned : outcome::dropped, 0, {});
      }
      if (self->to_.component->closed()) self->cancel();
    }
  }

  /// Null where it cannot be handled; then it is settled.
  exec::shared_message decoded(const std::shared_ptr<tracked>& mine) noexcept {
    std::string why;
    try {
      why = mine->why_not();
      if (why.empty()) {
        shared_origin origin = mine->take_origin();
        std::string topic = to_.with_topic ? mine->message().topic : std::string();
        return read(to_.readers, {mine->message(), std::move(topic), std::move(origin), mine});
      }
    } catch (...) {
      why = describe(std::current_exception());
      hub_->failed(name(), std::current_exception());
    }
    add(undecodable_);
    mine->give_up(std::move(why));
    return nullptr;
  }

  /// The id of one that has none: the same each time it is delivered.
  [[nodiscard]] std::string place_of(const transport::delivery& one) const {
    return how_.stream + '-' + std::to_string(one.sequence);
  }

  void settle(leaving one) noexcept {
    transport::delivery& what = *one.delivery;
    switch (one.how.how) {
      case settling::ack: counted(what.ack(), acks_); break;
      case settling::nak: counted(what.nak(one.how.delay), naks_); break;
      case settling::bury:
        if (how_.dead_letter.empty()) {
          end_without_letter(one, {});
        } else if (hub_->executor()) {
          launch(hub_, hub_->executor(), name(), bury(shared_from_this(), std::move(one)));
          return;
        } else {
          keep_for_later(one);  // its context has ended, so nobody can store the letter
        }
    }
    one_less();
  }

  bool counted(bool told, count& as) noexcept {
    add(told ? as : unsettled_);
    return told;
  }

  /// One fewer is on its way. A dead letter is until it is stored.
  void one_less() noexcept {
    bool now = false;
    bool soon = false;
    {
      const std::lock_guard lock(mutex_);
      --held_;
      if (!active()) return;
      ++unasked_;
      now = held_ == 0 || unasked_ >= window_ / 4;
      soon = !now && !std::exchange(asks_soon_, true);
    }
    if (now) ask_for_more();
    if (soon) ask_soon();
  }

  void ask_for_more() noexcept {
    std::size_t more = 0;
    {
      const std::lock_guard lock(mutex_);
      more = std::exchange(unasked_, 0);
    }
    if (more != 0 && active()) source_->ask(more);
  }

  void ask_soon() {
    asking_.start(longest_unasked, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      {
        const std::lock_guard lock(self->mutex_);
        self->asks_soon_ = false;
      }
      self->ask_for_more();
    });
  }

  void tell(const transport::delivery& of, const std::string& what) const noexcept {
    hub_->failed(name(),
                 std::make_exception_ptr(error(errc::transport_failed,
                                               "a message on '" + of.message.topic + "' " + what)));
  }

  void forget(const transport::delivery& one) noexcept {
    const std::lock_guard lock(mutex_);
    tries_.forget(one.sequence);
  }

  /// It is never delivered again, and that is told.
  void end_without_letter(const leaving& one, const std::string& why_no_letter) noexcept {
    forget(*one.delivery);
    if (!counted(one.delivery->term(), buried_)) return;
    tell(*one.delivery, "was given up after " + std::to_string(one.delivery->times) +
                            " deliveries: " + one.reason + why_no_letter);
  }

  /// It comes again, and goes to the dead letters then without being handled.
  void keep_for_later(const leaving& one) noexcept {
    const transport::delivery& what = *one.delivery;
    {
      const std::lock_guard lock(mutex_);
      const std::uint64_t digest = message_digest(one.id, what.message.payload);
      if (one.before.reason.empty())
        tries_.set_reason(what.sequence, digest, in_one_line(one.reason));
      // One that has failed just now was counted as that.
      if (!one.before.reason.empty()) tries_.handed_back(what.sequence, digest);
    }
    counted(one.delivery->nak(hand_back_pause(how_.max_backoff)), naks_);
  }

  /// Stores it with the dead letters, and only then has it never delivered again.
  static asio::awaitable<void> bury(std::shared_ptr<durable_link> self, leaving one) {
    const transport::delivery& what = *one.delivery;
    const given_up about{self->how_.stream, self->how_.durable, what.sequence, one.id,
                         one.attempts(),    one.reason};
    auto storing = store_letter(self->hub_->wire, self->how_.dead_letter, what.message, about,
                                self->how_.ack_wait / 2);
    const letter_result result = co_await std::move(storing);
    if (result.where) {
      self->tell_letter(one, result);
      self->forget(what);
      self->counted(one.delivery->term(), self->buried_);
    } else if (result.never) {
      self->end_without_letter(one,
                               "; its dead letter cannot be stored: " + describe(result.failure));
    } else {
      self->hub_->failed(self->name(), result.failure);
      self->keep_for_later(one);
    }
    self->one_less();
  }

  /// What is to be known of a letter that was stored, if anything.
  void tell_letter(const leaving& one, const letter_result& result) noexcept {
    const std::string place =
        "stream '" + result.where->stream + "', sequence " + std::to_string(result.where->sequence);
    if (result.refusal) {
      add(shortened_);
      tell(*one.delivery,
           "has only a shortened dead letter (" + place +
               "); the transport refused the whole one: " + describe(result.refusal));
    }
    // An earlier try of ours may have stored it without our knowing. Otherwise it is another
    // process's of the same message, or of one that was the same when the stream was made anew.
    if (result.where->duplicate && one.before.reason.empty()) {
      tell(*one.delivery, "already has a dead letter (" + place + "); the new one, '" + one.reason +
                              "', was not stored");
    }
  }

  const receiving_end to_;
  const durable_options how_;
  const std::shared_ptr<const std::string> stream_;  // its name, which messages share
  const redelivery_rule rule_;
  const std::size_t window_;
  transport::inbox<std::shared_ptr<tracked>> inbox_;
  std::unique_ptr<transport::source> source_;
  exec::timer asking_;
  mutable std::mutex mutex_;
  std::size_t held_ = 0;  // received and not settled
  tries tries_;
  std::size_t unasked_ = 0;  // settled ones that the source does not know of
  bool asks_soon_ = false;
  count received_{0};
  std::uint64_t last_place_ = 0;  // for the thread of the transport
  count redelivered_{0};
  count admitted_{0};
  count undecodable_{0};
  count refused_{0};
  count acks_{0};
  count naks_{0};
  count buried_{0};
  count unsettled_{0};
  count shortened_{0};
};

}  // namespace

asio::awaitable<std::shared_ptr<link_base>> join_durable(std::shared_ptr<hub> over,
                                                         receiving_end to, std::string pattern,
                                                         durable_options how) {
  if (!how.dead_letter.empty()) check_topic(how.dead_letter);
  std::string name = "durable " + how.durable + " of stream " + how.stream;
  if (!pattern.empty()) name += " (" + pattern + ")";
  auto made = std::make_shared<durable_link>(std::move(over), std::move(name), std::move(to),
                                             std::move(how));
  co_await durable_link::start(made, std::move(pattern));
  co_return made;
}

}  // namespace msgbus::bridging
