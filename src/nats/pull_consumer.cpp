#include "jetstream.hpp"

#include "times.hpp"
#include "transport/names.hpp"

#include <msgbus/detail/bridge/shared_blocks.hpp>
#include <msgbus/topic.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

pull_credit::time_point now() noexcept { return std::chrono::steady_clock::now(); }

class nats_delivery final : public transport::delivery, public bridging::in_shared_block {
 public:
  nats_delivery(envelope received, std::string ack_topic, delivered details,
                std::shared_ptr<progress> in)
      : delivery(std::move(received), details.times, details.sequence),
        over_(in->over()),
        ack_topic_(std::move(ack_topic)),
        in_progress_(std::move(in), ack_topic_) {}

  bool ack() noexcept override { return settle(ack_text); }
  bool term() noexcept override { return settle(term_text); }
  bool nak(std::chrono::nanoseconds delay) noexcept override {
    return settle(nak_text(delay).view());
  }

 private:
  bool settle(std::string_view verb) noexcept {
    if (settled_) return true;
    in_progress_.remove();
    settled_ = over_->send(ack_topic_, {}, verb);
    return settled_;
  }

  const std::shared_ptr<connection> over_;
  const std::string ack_topic_;
  progress::entry in_progress_;
  bool settled_ = false;
};

constexpr std::string_view info_suffix = "info";

}  // namespace

// --- Progress. -----------------------------------------------------------------------------------

progress::entry::entry(std::shared_ptr<progress> in, const std::string& ack_topic)
    : in_(std::move(in)), ack_topic_(ack_topic) {
  const auto added = now();
  const std::lock_guard lock(in_->mutex_);
  if (!in_->looks_) in_->look_at(in_->unsettled_.first_time(added));  // may throw
  in_->unsettled_.add(*this, added);
}

void progress::entry::remove() noexcept {
  if (!is_listed()) return;
  const std::lock_guard lock(in_->mutex_);
  in_->unsettled_.remove(*this);
}

void progress::look_at(unsettled_list::time_point when) {
  over_->run_at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
  looks_ = true;
}

// The lock is held while something is sent, so that a delivery is settled after the last word of
// its progress; and for one at a time, so that others may settle theirs.
void progress::look() noexcept {
  const auto began = now();
  const bool is_away = over_->is_away();
  for (;;) {
    const std::lock_guard lock(mutex_);
    looks_ = false;
    if (unsettled_.empty() || over_->has_ended()) return;
    unsettled_list::entry* const due = is_away ? nullptr : unsettled_.next_due(began);
    if (!due) return look_at(unsettled_.next_look(began, is_away));
    over_->send(static_cast<entry*>(due)->ack_topic_, {}, in_progress_text);
  }
}

// --- Deliveries. ---------------------------------------------------------------------------------

std::unique_ptr<transport::delivery> make_delivery(natsMsg* message, std::shared_ptr<progress> in) {
  envelope received = from_nats(message);
  std::string ack_topic = std::move(received.reply_to);
  received.reply_to.clear();
  const delivered details = read_ack_topic(ack_topic);
  static_assert(sizeof(nats_delivery) <= bridging::shared_block_bytes);
  return std::make_unique<nats_delivery>(std::move(received), std::move(ack_topic), details,
                                         std::move(in));
}

void give_back(connection& over, std::string_view ack_topic) noexcept {
  over.send(std::string(ack_topic), {}, nak_text().view());
}

// --- Pulling. ------------------------------------------------------------------------------------

pull_consumer::pull_consumer(const session& of, const transport::pull_options& which,
                             std::shared_ptr<transport::delivery_sink> to)
    : requests_(of.over(role::low_latency)),
      in_progress_(std::make_shared<progress>(of.over(role::bulk), which.ack_wait)),
      name_("stream '" + which.stream + "', durable '" + which.durable + "'"),
      next_topic_("$JS.API.CONSUMER.MSG.NEXT." + which.stream + '.' + which.durable),
      info_topic_("$JS.API.CONSUMER.INFO." + which.stream + '.' + which.durable),
      inbox_(make_inbox() + '.'),
      to_(std::move(to)),
      credit_(now()),
      watch_(of.executor()),
      next_(of.executor()) {}

void pull_consumer::start() {
  subscription_ = subscription::open(requests_, inbox_ + '*', {}, 0, shared_from_this());
  const std::lock_guard lock(mutex_);
  start(watch_, pull_credit::silence / 4, &pull_consumer::watch);
}

void pull_consumer::ask(std::size_t more) noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.add(more, now(), requests_->is_away()));
}

void pull_consumer::do_next(pull_credit::action action) noexcept {
  using enum pull_credit::action;
  switch (action) {
    case nothing:
    case end: break;
    case request: send_request(); break;
    case look:
      if (!requests_->is_away())
        requests_->send(info_topic_, inbox_ + std::string(info_suffix), {});
      break;
    case try_later: start(next_, pull_credit::before_next_try, &pull_consumer::try_again); break;
    case look_later: start(next_, pull_credit::before_next_look, &pull_consumer::look_again); break;
  }
}

void pull_consumer::send_request() noexcept {
  const auto expires = std::chrono::nanoseconds(pull_credit::request_expires).count();
  const std::string text = "{\"batch\":" + std::to_string(credit_.requested()) +
                           ",\"expires\":" + std::to_string(expires) + '}';
  requests_->send(next_topic_, inbox_ + std::to_string(credit_.number()), text);
}

void pull_consumer::take(message_ptr message) noexcept {
  if (is_delivery(reply_topic_of(message.get()))) {
    take_delivery(std::move(message));
  } else if (subject_of(message.get()).substr(inbox_.size()) == info_suffix) {
    take_info(message.get());
  } else {
    take_status(message.get());
  }
}

void pull_consumer::take_delivery(message_ptr message) noexcept {
  {
    const std::lock_guard lock(mutex_);
    pull_credit::action next{};
    if (!credit_.take(now(), requests_->is_away(), next)) {
      give_back(*requests_, reply_topic_of(message.get()));
      return;
    }
    do_next(next);  // before this one is handled: so the next is on its way
  }
  std::unique_ptr<transport::delivery> received;
  try {
    received = make_delivery(message.get(), in_progress_);
  } catch (const std::bad_alloc&) {
    give_back(*requests_, reply_topic_of(message.get()));
    ask(1);
    return;
  }
  done_.add(std::move(message));
  to_->take(std::move(received));
}

void pull_consumer::take_status(natsMsg* message) noexcept {
  const std::string_view number = subject_of(message).substr(inbox_.size());
  const std::lock_guard lock(mutex_);
  do_next(credit_.answered(number, status_of(message), description_of(message), now(),
                           requests_->is_away()));
}

void pull_consumer::take_info(natsMsg* message) noexcept {
  const json said = json::parse(payload_of(message), nullptr, false);
  const refusal refused = said.is_object() ? refusal_of(said) : refusal{503, 0, "no answer"};
  const bool is_gone =
      refused.err_code == stream_not_found || refused.err_code == consumer_not_found;
  const auto seen = is_gone                ? pull_credit::found::gone
                    : refused.text.empty() ? pull_credit::found::there
                                           : pull_credit::found::unknown;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    const auto next = credit_.looked(seen, refused.text, now(), requests_->is_away());
    do_next(next);
    if (next != pull_credit::action::end) return;
    why = credit_.why();
  }
  subscription_->stop();
  end(std::make_exception_ptr(error(errc::transport_failed, name_ + ": " + why)));
}

void pull_consumer::end(const std::exception_ptr& why) noexcept {
  ended_ = true;
  {
    const std::lock_guard lock(mutex_);
    stop_asking();
    if (owner_left_) return;
  }
  to_->ended(why);
}

void pull_consumer::caught_up() noexcept { done_.destroy_if_many(); }

void pull_consumer::completed(const std::exception_ptr& why) noexcept {
  if (!ended_ && why) end(why);
  if (!ended_) end(std::make_exception_ptr(requests_->failed(NATS_CONNECTION_CLOSED, name_)));
  to_.reset();  // it may own the source
}

void pull_consumer::start(exec::timer& timer, std::chrono::nanoseconds pause,
                          void (pull_consumer::*member)() noexcept) {
  timer.start(pause, [weak = weak_from_this(), member] {
    if (const auto self = weak.lock()) (self.get()->*member)();
  });
}

// With the lock: then neither is started again, and no context waits for them.
bool pull_consumer::stop_asking() noexcept {
  watch_.cancel();
  next_.cancel();
  return credit_.stop();
}

void pull_consumer::try_again() noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.try_again(now(), requests_->is_away()));
}

void pull_consumer::look_again() noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.look_again(now()));
}

void pull_consumer::watch() noexcept {
  const std::lock_guard lock(mutex_);
  if (credit_.is_stopped()) return;
  do_next(credit_.watch(now()));
  start(watch_, pull_credit::silence / 4, &pull_consumer::watch);
}

void pull_consumer::connection_is_back() noexcept {
  const std::lock_guard lock(mutex_);
  do_next(credit_.connection_is_back(now()));
}

void pull_consumer::stop() noexcept {
  const std::lock_guard lock(mutex_);
  owner_left_ = true;
  stop_giving();
}

void pull_consumer::transport_closes() noexcept {
  const std::lock_guard lock(mutex_);
  stop_giving();
}

// With the lock, so that nothing is given back before the server knows that this one has left: it
// would get it again.
void pull_consumer::stop_giving() noexcept {
  if (stop_asking()) subscription_->drain();
}

void pull_consumer::wait_until_given_back(pull_credit::time_point until) noexcept {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  if (left > 0ms && !requests_->is_away()) subscription_->wait_until_drained(left.count());
}

// --- Sources. ------------------------------------------------------------------------------------

namespace {

class nats_source final : public transport::source {
 public:
  explicit nats_source(std::shared_ptr<pull_consumer> of) : of_(std::move(of)) {}
  ~nats_source() override { of_->stop(); }
  void ask(std::size_t more) noexcept override { of_->ask(more); }
  void stop() noexcept override { of_->stop(); }

 private:
  const std::shared_ptr<pull_consumer> of_;
};

}  // namespace

asio::awaitable<std::unique_ptr<transport::source>> pull(
    std::shared_ptr<session> through, transport::pull_options which,
    std::shared_ptr<transport::delivery_sink> to) {
  transport::check_name(which.stream, "stream");
  transport::check_name(which.durable, "durable consumer");
  if (!which.filter.empty()) detail::check_pattern(which.filter);
  co_await ensure_consumer(through, which);
  auto made = std::make_shared<pull_consumer>(*through, which, std::move(to));
  made->start();
  through->add(made);
  std::unique_ptr<transport::source> result = std::make_unique<nats_source>(std::move(made));
  co_return result;
}

}  // namespace msgbus::nats
