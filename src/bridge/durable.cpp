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

#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/bridge/detail/link_base.hpp>
#include <msgbus/bridge/options.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/exec/timer.hpp>
#include <msgbus/transport/inbox.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <limits>
#include <list>
#include <random>

namespace msgbus::bridging {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_unasked = 1ms;

double random_part() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::string why_of(outcome what, const failures& failed) {
  if (what == outcome::dropped) return "it was dropped from a full mailbox";
  std::string all;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    all += (all.empty() ? "" : "; ") + describe(failed[i]);
  }
  return all.empty() ? "no handler takes it" : all;
}

class durable_link final : public link_base,
                           public transport::delivery_sink,
                           public std::enable_shared_from_this<durable_link> {
 public:
  durable_link(std::shared_ptr<hub> over, std::string called, receiving_end to, durable_options how)
      : link_base(std::move(over), std::move(called)),
        to_(std::move(to)),
        how_(std::move(how)),
        rule_{how_.max_deliver, how_.backoff, how_.max_backoff, how_.jitter},
        window_(std::max<std::size_t>(how_.max_in_flight != 0
                                          ? how_.max_in_flight
                                          : to_.component->mailbox.options().capacity,
                                      1)),
        inbox_(std::numeric_limits<std::size_t>::max()),
        clock_(hub_->executor()),
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
    self->tick();
    self->source_->ask(self->window_);
  }

  void cancel() noexcept override {
    if (!deactivate()) return;
    if (source_) source_->stop();
    inbox_.close();  // what is in it is still handled
    stop_clock_if_idle();
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
    const std::lock_guard lock(mutex_);
    all.in_flight = held_.size();
    return all;
  }

  void take(std::unique_ptr<transport::delivery> received) noexcept override {
    add(received_);
    if (received->times > 1) add(redelivered_);
    auto mine = std::make_shared<tracked>(shared_from_this(), std::move(received));
    if (!inbox_.put(std::move(mine), false)) add(refused_);  // and it is given back
  }

  void ended(std::exception_ptr why) noexcept override {
    if (!deactivate()) return;
    inbox_.close();
    stop_clock_if_idle();
    hub_->failed(name(), why);
  }

 private:
  class tracked;
  using held_list = std::list<tracked*>;

  /// A delivery between the transport and what became of it.
  class tracked final : public exec::outcome_listener {
   public:
    tracked(std::shared_ptr<durable_link> of, std::unique_ptr<transport::delivery> one)
        : link_(std::move(of)),
          busy_(link_->hub_->busy->start()),
          delivery_(std::move(one)),
          times_(delivery_->times) {
      const std::lock_guard lock(link_->mutex_);
      place_ = link_->held_.insert(link_->held_.end(), this);
    }
    ~tracked() { settle({settling::nak, {}}, {}); }
    tracked(const tracked&) = delete;
    tracked& operator=(const tracked&) = delete;

    void settled(outcome what, std::size_t ran, const failures& failed) noexcept override {
      const settlement how = bridging::settle(what, ran, times_, link_->rule_, random_part());
      settle(how, how.how == settling::bury ? why_of(what, failed) : std::string());
    }

    /// Only the first call does anything.
    void settle(const settlement& how, std::string why) noexcept {
      std::unique_ptr<transport::delivery> mine;
      {
        const std::lock_guard lock(link_->mutex_);
        if (!delivery_) return;
        link_->held_.erase(place_);
        mine = std::move(delivery_);
      }
      if (how.how == settling::bury && origin_) mine->message.headers = origin_->headers;
      link_->settle(std::move(mine), how, std::move(why));
    }

    [[nodiscard]] unsigned times() const noexcept { return times_; }
    /// Before it is in a mailbox.
    [[nodiscard]] const envelope& message() const noexcept { return delivery_->message; }
    /// Before it is in a mailbox, once: what came with it. From then on that has its headers.
    [[nodiscard]] shared_origin take_origin() {
      origin_ =
          origin_of(std::move(delivery_->message.headers), times_, link_->place_of(*delivery_));
      return origin_;
    }

    /// Under the link's lock: has it not delivered again, if it is old.
    void keep() noexcept {
      if (is_old_) (void)delivery_->in_progress();
      is_old_ = true;
    }

   private:
    const std::shared_ptr<durable_link> link_;
    const activity::token busy_;
    std::unique_ptr<transport::delivery> delivery_;  // null once it is settled
    shared_origin origin_;                           // null until it is decoded
    const unsigned times_;
    held_list::iterator place_;
    bool is_old_ = false;
  };

  static asio::awaitable<void> pump(std::shared_ptr<durable_link> self) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const transport::inbox<std::shared_ptr<tracked>>::taker taking(self->inbox_);
    const activity::token pumping = self->hub_->busy->start();
    for (;;) {
      std::vector<std::shared_ptr<tracked>> batch = co_await self->inbox_.take();
      if (batch.empty()) co_return;
      for (std::shared_ptr<tracked>& each : batch) {
        const std::shared_ptr<tracked> mine = std::move(each);
        const exec::shared_message message = self->decoded(mine);
        if (!message) continue;
        exec::outgoing_share out(message);
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
      if (!is_worn_out(mine->times(), rule_)) {
        shared_origin origin = mine->take_origin();
        std::string topic = to_.with_topic ? mine->message().topic : std::string();
        return read(to_.readers, {mine->message(), std::move(topic), std::move(origin), mine});
      }
      why = "it was delivered " + std::to_string(mine->times() - 1) +
            " times, and whoever took it never said what became of it";
    } catch (...) {
      why = describe(std::current_exception());
      hub_->failed(name(), std::current_exception());
    }
    add(undecodable_);
    mine->settle({settling::bury, {}}, std::move(why));
    return nullptr;
  }

  /// The id of one that has none: the same each time it is delivered.
  [[nodiscard]] std::string place_of(const transport::delivery& one) const {
    return how_.stream + '-' + std::to_string(one.sequence);
  }

  void settle(std::unique_ptr<transport::delivery> one, const settlement& how,
              std::string why) noexcept {
    if (how.how == settling::bury && !how_.dead_letter.empty()) {
      if (!hub_->executor()) {  // its context has ended, so nobody can store the letter
        counted(one->nak(how_.max_backoff), naks_);
        return one_less();
      }
      (void)one->in_progress();  // the patience must last until the letter is stored
      launch(hub_, hub_->executor(), name(),
             bury(shared_from_this(), std::move(one), std::move(why)));
      return;
    }
    bool told = false;
    switch (how.how) {
      case settling::ack: told = counted(one->ack(), acks_); break;
      case settling::nak: told = counted(one->nak(how.delay), naks_); break;
      case settling::bury: told = counted(one->term(), buried_); break;
    }
    if (told && how.how == settling::bury) tell_given_up(*one, why);
    one_less();
  }

  bool counted(bool told, count& as) noexcept {
    add(told ? as : unsettled_);
    return told;
  }

  /// One fewer is on its way.
  void one_less() noexcept {
    if (!active()) {
      stop_clock_if_idle();
      return;
    }
    bool now = false;
    bool soon = false;
    {
      const std::lock_guard lock(mutex_);
      ++unasked_;
      now = held_.empty() || unasked_ >= window_ / 4;
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

  void tell_given_up(const transport::delivery& one, const std::string& why) const noexcept {
    const std::string text = "a message on '" + one.message.topic + "' was given up after " +
                             std::to_string(one.times) + " deliveries: " + why;
    hub_->failed(name(), std::make_exception_ptr(error(errc::transport_failed, text)));
  }

  /// Stores it with the dead letters, and only then has it never delivered again.
  static asio::awaitable<void> bury(std::shared_ptr<durable_link> self,
                                    std::unique_ptr<transport::delivery> one, std::string why) {
    const activity::token burying = self->hub_->busy->start();
    envelope letter = one->message;
    std::string id(header_of(letter, header::message_id));
    const auto set = [&](std::string_view name, std::string value) {
      letter.headers.insert_or_assign(std::string(name), std::move(value));
    };
    if (id.empty()) id = self->place_of(*one);
    set(header::message_id, id + "-dead");
    set(header::causation_id, id);
    set(header::attempt, std::to_string(one->times));
    set(header::dead_reason, in_one_line(why));
    set(header::dead_topic, letter.topic);
    set(header::dead_stream, self->how_.stream);
    set(header::dead_durable, self->how_.durable);
    transport::make_sendable(letter.headers);
    letter.topic = self->how_.dead_letter;
    letter.reply_to.clear();
    std::exception_ptr failure;
    try {
      auto storing = self->hub_->wire->store(std::move(letter), self->how_.ack_wait / 2);
      (void)co_await std::move(storing);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      self->hub_->failed(self->name(), failure);
      self->counted(one->nak(self->how_.max_backoff), self->naks_);
    } else {
      self->counted(one->term(), self->buried_);
    }
    self->one_less();
  }

  void tick() {
    {
      const std::lock_guard lock(mutex_);
      if (!active() && held_.empty()) return;
      for (tracked* const each : held_) each->keep();
    }
    clock_.start(how_.ack_wait / 3, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->tick();
    });
  }

  void stop_clock_if_idle() noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (!held_.empty()) return;
    }
    clock_.cancel();
  }

  const receiving_end to_;
  const durable_options how_;
  const redelivery_rule rule_;
  const std::size_t window_;
  transport::inbox<std::shared_ptr<tracked>> inbox_;
  std::unique_ptr<transport::source> source_;
  exec::timer clock_;
  exec::timer asking_;
  mutable std::mutex mutex_;
  held_list held_;
  std::size_t unasked_ = 0;  // settled ones that the source does not know of
  bool asks_soon_ = false;
  count received_{0};
  count redelivered_{0};
  count admitted_{0};
  count undecodable_{0};
  count refused_{0};
  count acks_{0};
  count naks_{0};
  count buried_{0};
  count unsettled_{0};
};

}  // namespace

asio::awaitable<std::shared_ptr<link_base>> join_durable(std::shared_ptr<hub> over,
                                                         receiving_end to, std::string pattern,
                                                         durable_options how) {
  std::string name = "durable " + how.durable + " of stream " + how.stream;
  if (!pattern.empty()) name += " (" + pattern + ")";
  auto made = std::make_shared<durable_link>(std::move(over), std::move(name), std::move(to),
                                             std::move(how));
  co_await durable_link::start(made, std::move(pattern));
  co_return made;
}

}  // namespace msgbus::bridging
