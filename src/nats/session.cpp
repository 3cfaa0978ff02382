#include "session.hpp"

#include "core/print.hpp"
#include "core/text.hpp"
#include "jetstream.hpp"
#include "transport/names.hpp"

#include <msgbus/detail/exec/cancellation.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>

namespace msgbus::nats {

namespace {

// With a server that does not answer.
constexpr std::int64_t flush_at_close_milliseconds = 1000;
constexpr auto give_back_at_close = std::chrono::milliseconds(500);

}  // namespace

session::session(asio::any_io_executor executor, const options& options)
    : options_(options), events_(std::move(executor), options_.on_event) {}

void session::connect() {
  auto bulk = connection::connect(options_, role::bulk, weak_from_this());
  auto low_latency = connection::connect(options_, role::low_latency, weak_from_this());
  {
    const std::lock_guard lock(mutex_);
    bulk_ = std::move(bulk);
    low_latency_ = std::move(low_latency);
  }
  bulk_replies_ = std::make_unique<replies>(bulk_);
  low_latency_replies_ = std::make_unique<replies>(low_latency_);
  is_connected_ = true;
}

void session::close() noexcept {
  if (closed_.exchange(true)) return;
  if (!low_latency_) return;
  const auto all = consumers();
  for (const auto& each : all) each->transport_closes();
  const auto until = std::chrono::steady_clock::now() + give_back_at_close;
  for (const auto& each : all) each->wait_until_given_back(until);
  bulk_->close(flush_at_close_milliseconds);
  low_latency_->close(flush_at_close_milliseconds);
  const answer closed{answer::end::closed};
  bulk_replies_->waiting().end(closed);
  low_latency_replies_->waiting().end(closed);
  end_pauses();
}

void session::check_ended(const answer& got, role which, const deadline& until,
                          const std::string& text) const {
  if (got.came == answer::end::closed || closed_) throw error(errc::closed, text + ": closed");
  if (over(which)->has_ended()) {
    throw over(which)->failed(NATS_CONNECTION_CLOSED, text);
  }
  if (got.came != answer::end::given && until.is_over()) {
    throw out_of_time(which, text);
  }
}

error session::out_of_time(role which, const std::string& text) const {
  if (over(which)->is_away()) {
    return error(errc::disconnected, text + ": " + over(which)->server() + " is away");
  }
  return error(errc::timed_out, text + ": no answer from " + over(which)->server() + " in time");
}

asio::awaitable<void> session::pause(duration at_most) {
  const auto ended = [](void* self, bool woken) {
    return woken || static_cast<session*>(self)->closed_;
  };
  (void)co_await pauses_.wait_for(ended, this, at_most, "NATS");
}

void session::end_pauses() noexcept {
  exec::wake_batch woken;
  const std::lock_guard lock(mutex_);
  pauses_.wake(exec::wait_list::all, woken);
}

void session::add(const std::shared_ptr<pull_consumer>& added) {
  const std::lock_guard lock(mutex_);
  std::erase_if(consumers_, [](const auto& each) { return each.expired(); });
  consumers_.push_back(added);
}

std::vector<std::shared_ptr<pull_consumer>> session::consumers() {
  std::vector<std::shared_ptr<pull_consumer>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& each : consumers_) {
    if (auto there = each.lock()) all.push_back(std::move(there));
  }
  return all;
}

void session::lost(role which, std::string text) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !bulk_away_ && !low_latency_away_;
    away(which) = true;
  }
  interrupt_replies(which);
  if (first) events_.tell(event::kind::disconnected, std::move(text));
}

void session::back(role which, std::string text) {
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    away(which) = false;
    all = !bulk_away_ && !low_latency_away_;
  }
  end_pauses();
  if (which == role::low_latency) {
    for (const auto& each : consumers()) each->connection_is_back();
  }
  if (all) events_.tell(event::kind::reconnected, std::move(text));
}

void session::interrupt_replies(role which) noexcept {
  // There are none before both connections have been made.
  if (is_connected_) asking(which).waiting().interrupt({answer::end::lost});
}

void session::ended(role, std::string text) {
  std::shared_ptr<connection> bulk, low_latency;
  {
    const std::lock_guard lock(mutex_);
    if (end_told_) return;
    end_told_ = true;
    bulk = bulk_;
    low_latency = low_latency_;
  }
  // One without the other is of no use.
  for (const auto& each : {bulk, low_latency}) {
    if (each) each->give_up();
  }
  interrupt_replies(role::bulk);
  interrupt_replies(role::low_latency);
  end_pauses();
  events_.tell(event::kind::closed, std::move(text));
}

std::uint64_t session::given_up() const noexcept {
  return bulk_->given_up() + low_latency_->given_up();
}

void session::slow(std::string subject) {
  events_.tell(event::kind::slow_consumer, std::move(subject));
}

void session::failed(std::string text) { events_.tell(event::kind::failed, std::move(text)); }

// --- Replies. ------------------------------------------------------------------------------------

answer taken(const awaited_reply& of) {
  const auto& promise = of.promise();
  if (promise->is_answered()) return std::move(promise->answer());
  if (!promise->is_late()) exec::throw_aborted("NATS");
  return {.came = answer::end::late};
}

asio::awaitable<answer> wait(const awaited_reply& on) {
  co_await on.promise()->one_shot_event::wait();
  co_return taken(on);
}

namespace {

class reply_receiver final : public receiver {
 public:
  reply_receiver(std::shared_ptr<reply_table> in, std::string inbox)
      : table_(std::move(in)), inbox_(std::move(inbox)) {
    came_.reserve(most_together);
  }

 private:
  void take(message_ptr message) noexcept override {
    if (came_.size() == most_together) table_->give(came_);
    auto& [number, got, to] = came_.emplace_back();
    number = transport::reply_number(subject_of(message.get()), inbox_);
    got.payload = payload_of(message.get());
    if (got.payload.empty()) got.status = status_of(message.get());
    done_.add(std::move(message));
  }
  // Those that wait want the same lock, for each request.
  void caught_up() noexcept override {
    table_->give(came_);
    done_.destroy_if_many();
  }

  static constexpr std::size_t most_together = 64;

  const std::shared_ptr<reply_table> table_;
  const std::string inbox_;
  std::vector<reply_table::given> came_;
  discarded_messages done_;
};

}  // namespace

// Not by natsInbox_Create: where nats.c is built without TLS, its names come from the clock. Of 64
// random bits, and no longer: the server and both clients read every topic letter by letter.
std::string make_inbox() {
  constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string made = "_INBOX.";
  std::random_device random;
  std::uint64_t bits = std::uint64_t{random()} << 32U | random();
  for (int left = 11; left != 0; --left, bits /= digits.size())
    made += digits[bits % digits.size()];
  return made;
}

replies::~replies() {
  if (subscription_) subscription_->stop();
}

const std::string& replies::inbox() {
  const std::lock_guard lock(mutex_);
  if (!subscription_) {
    inbox_ = make_inbox();
    subscription_ = subscription::open(over_, inbox_ + ".*", {}, 0,
                                       std::make_shared<reply_receiver>(table_, inbox_));
  }
  return inbox_;
}

asio::awaitable<answer> replies::ask(const envelope& message, deadline until) {
  const awaited_reply mine(*table_, until.caller(), until.left());
  send(message, mine.number());
  co_return co_await wait(mine);
}

void replies::send(const envelope& message, std::uint64_t number) {
  over_->publish_checked(message, transport::reply_topic(inbox(), number));
}

// --- Events. -------------------------------------------------------------------------------------

events::events(asio::any_io_executor executor, std::function<void(const event&)> to)
    : to_(std::move(to)), executor_(std::move(executor)) {
  if (!link(executor_)) executor_ = {};
}

void events::tell(event::kind kind, std::string_view text) {
  if (!to_) return;
  // The context does not end before the lock does.
  const std::lock_guard lock(mutex_);
  if (!executor_) return;
  asio::post(executor_, [to = to_, happened = event{kind, detail::escaped(text)}] {
    try {
      to(happened);
    } catch (...) {
      detail::say_thrown_by("an on_event");
    }
  });
}

void events::context_ended() noexcept {
  const std::lock_guard lock(mutex_);
  executor_ = {};
}

namespace {

std::string name_of_kind(event::kind value) {
  using enum event::kind;
  return msgbus::detail::enumerator<event::kind>(value, "kind",
                                                 {{disconnected, "disconnected"},
                                                  {reconnected, "reconnected"},
                                                  {closed, "closed"},
                                                  {slow_consumer, "slow_consumer"},
                                                  {failed, "failed"}});
}

}  // namespace

std::ostream& operator<<(std::ostream& out, event::kind value) {
  return out << name_of_kind(value);
}

std::ostream& operator<<(std::ostream& out, const event& value) {
  return out << msgbus::detail::printed("event")
                    .written("what", name_of_kind(value.what))
                    .member("text", value.text);
}

}  // namespace msgbus::nats
