// The reactions of a connection when nats.c loses it, has it back, or gives it up.
//
// Threads: nats.c's callback thread calls `lost`, `back`, `closed`, `slow` and `failed`, one call
// at a time; it never blocks, since all connections of the program share it. The connection's own
// thread (`thread_`) opens connections, subscribes again and sends the kept messages, one job at a
// time. Users' threads send and close.
//
// The decisions are in reconnection.hpp.

#include "connection.hpp"

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/policy/backoff.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::nats {

namespace {

constexpr std::int64_t one_subscription_milliseconds = 2000;

// Clients that have lost the same server do not all come back at the same moment.
blocking_thread::time_point after(duration wait) {
  const duration longest = std::min<duration>(wait, std::chrono::hours(1)) / 4;
  const auto jitter = std::chrono::duration_cast<duration>(longest * detail::random_part());
  return detail::saturating_add(detail::saturating_add(std::chrono::steady_clock::now(), wait),
                                jitter);
}

}  // namespace

template <class F>
void connection::later(blocking_thread::time_point when, F job) {
  thread_.at(when, [weak = weak_from_this(), job] {
    if (const auto self = weak.lock()) job(*self);
  });
}

// Subscriptions are notified of the first loss only: messages that are sent while the connection is
// away wait, and the next loss does not lose them. The connection's thread notifies them, since
// that of nats.c must not wait for a subscription.
void connection::begin_to_keep() {
  {
    const std::lock_guard lock(kept_mutex_);
    if (!kept_.lose()) return;
  }
  later(blocking_thread::time_point::min(), [](connection& self) {
    for (const auto& each : self.subscriptions()) each->connection_is_lost();
  });
}

void connection::lost(native_connection& at, std::string text) {
  if (ended_ || !is_current(at)) return;
  begin_to_keep();
  tell([&](connection_listener& to) { to.lost(role_, with_reason(std::move(text))); });
}

void connection::back(native_connection& at, std::string text) {
  if (ended_ || !is_current(at)) return;
  later(blocking_thread::time_point::min(), [loss = last_loss(), text = std::move(text)](
                                                connection& self) { self.resume(loss, text); });
}

std::uint64_t connection::last_loss() {
  const std::lock_guard lock(kept_mutex_);
  return kept_.losses();
}

void connection::closed(native_connection& at, natsStatus why, std::string text) {
  connection_closed(at, why, std::move(text));
}

void connection::slow(std::string subject) {
  tell([&](connection_listener& to) { to.slow(std::move(subject)); });
}

void connection::failed(std::string text) {
  tell([&](connection_listener& to) { to.failed(with_reason(std::move(text))); });
}

std::string connection::with_reason(std::string text) const {
  return text.empty() ? shown_ : shown_ + ": " + text;
}

// Sends the kept messages. On the connection's thread.
void connection::resume(std::uint64_t from_loss, const std::string& text) {
  std::vector<std::string> refused;
  {
    const std::lock_guard lock(kept_mutex_);
    if (ended_ || !kept_.come_back(from_loss)) return;
    send_kept(refused);
  }
  tell_refused(refused);
  tell([&](connection_listener& to) { to.back(role_, text.empty() ? shown_ : text); });
}

// nats.c has given up on it, and the user has not. Once for each connection, on any thread.
void connection::connection_closed(native_connection& at, natsStatus why, std::string text) {
  if (ended_) return;
  {
    const std::lock_guard lock(mutex_);
    if (current_.get() != &at || closed_seen_ == current_) return;
    closed_seen_ = current_;
  }
  begin_to_keep();
  tell([&](connection_listener& to) { to.lost(role_, with_reason(text)); });
  if (!reopening_.goes_on(why == NATS_NO_SERVER)) {
    end(std::move(text));
    return;
  }
  const bool server_refused = why == NATS_ERR;
  later(after(options_.reconnect_wait), [server_refused](connection& self) {
    if (server_refused) self.reopening_.search();
    self.reopen();
  });
}

// --- On the connection's thread. -----------------------------------------------------------------

void connection::reopen() {
  if (ended_) return;
  std::shared_ptr<native_connection> made;
  try {
    made = native_connection::connect(options_, role_ == role::bulk, weak_from_this());
  } catch (const std::exception& e) {
    try_again(e.what());
    return;
  }
  const std::uint64_t loss = last_loss();
  {
    const std::lock_guard lock(mutex_);
    current_ = made;
  }
  if (ended_) {  // `close` may have missed the new one
    made->close();
    return;
  }
  if (!subscribe_again(made)) {
    connection_closed(*made, NATS_ERR, made->last_error());
    return;
  }
  reopening_.done();
  resume(loss, shown_);
}

void connection::try_again(const std::string& failure) {
  if (!reopening_.failed()) {
    end(failure);
    return;
  }
  if (reopening_.is_news(failure)) {
    tell([&](connection_listener& to) { to.failed(failure); });
  }
  later(after(options_.reconnect_wait), [](connection& self) { self.reopen(); });
}

bool connection::subscribe_again(const std::shared_ptr<native_connection>& at) {
  for (const auto& each : subscriptions()) {
    each->attach(at);
    if (!reopening_.searches()) continue;
    if (at->flush(one_subscription_milliseconds) == NATS_OK || !at->is_refused()) continue;
    if (!reopening_.blames(each->number(), at->last_error())) return false;
    const std::string why = "the server does not take the subscription to '" + each->subject() +
                            "': " + at->last_error();
    tell([&](connection_listener& to) { to.failed(with_reason(why)); });
    each->refuse(std::make_exception_ptr(error(errc::transport_failed, with_reason(why))));
    return false;
  }
  return !at->is_closed();
}

void connection::give_up() noexcept {
  end("the transport's other connection has ended");
  current()->close();
}

void connection::end(std::string text) {
  if (ended_.exchange(true)) return;
  const std::size_t lost = give_up_kept();
  if (lost != 0) {
    const std::string note =
        std::to_string(lost) + " messages that waited for the connection are given up";
    tell([&](connection_listener& to) { to.failed(with_reason(note)); });
  }
  tell([&](connection_listener& to) { to.ended(role_, with_reason(std::move(text))); });
  for (const auto& each : subscriptions()) each->connection_has_ended();
}

}  // namespace msgbus::nats
