// What a connection does when nats.c loses it, has it back, or gives up on it.
//
// Who may be where: nats.c's callback thread is in `lost`, `back`, `closed`, `slow` and `failed`,
// one call at a time; it blocks nowhere, since all connections of the program share it. The
// connection's own thread (`thread_`) opens connections, subscribes again and sends what has
// waited, one job at a time. Users' threads send and close.
//
// `epoch_` counts the losses. A `resume` that belongs to an earlier loss does nothing: the one of
// the last loss is still to come.

#include "connection.hpp"
#include "message.hpp"
#include "subscription.hpp"

#include <msgbus/core/saturate.hpp>
#include <msgbus/policy/backoff.hpp>

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

/// Whether a server's error is about what was subscribed, and not about the connection.
bool blames_subscription(std::string_view error) {
  return error.find("ubscription") != error.npos || error.find("ontrol line") != error.npos ||
         error.find("nvalid Subject") != error.npos;
}

}  // namespace

template <class F>
void connection::later(blocking_thread::time_point when, F job) {
  thread_.at(when, [weak = weak_from_this(), job] {
    if (const auto self = weak.lock()) job(*self);
  });
}

// Subscriptions are told of the first loss only: what is sent while the connection is away waits,
// and is not lost by the next one. They are told by the connection's thread, since the one of
// nats.c must not wait for a subscription.
void connection::begin_to_wait() {
  {
    const std::lock_guard lock(kept_mutex_);
    waits_ = true;
    ++epoch_;
    if (std::exchange(away_, true)) return;
  }
  later(blocking_thread::time_point::min(), [](connection& self) {
    for (const auto& each : self.subscriptions()) each->connection_is_lost();
  });
}

void connection::lost(native_connection& at, std::string text) {
  if (ended_ || !is_current(at)) return;
  begin_to_wait();
  tell([&](connection_listener& to) { to.lost(role_, with_reason(std::move(text))); });
}

void connection::back(native_connection& at, std::string text) {
  if (ended_ || !is_current(at)) return;
  std::uint64_t epoch = 0;
  {
    const std::lock_guard lock(kept_mutex_);
    epoch = epoch_;
  }
  later(blocking_thread::time_point::min(),
        [epoch, text = std::move(text)](connection& self) { self.resume(epoch, text); });
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

// Sends what has waited. On the connection's thread.
void connection::resume(std::uint64_t epoch, const std::string& text) {
  std::vector<std::string> refused;
  {
    const std::lock_guard lock(kept_mutex_);
    if (epoch != epoch_ || ended_) return;
    away_ = false;
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
  begin_to_wait();
  tell([&](connection_listener& to) { to.lost(role_, with_reason(text)); });
  const bool server_refused = why == NATS_ERR;
  const bool tried_all = options_.max_reconnects >= 0 && why == NATS_NO_SERVER;
  if (options_.max_reconnects == 0 || tried_all) {
    end(std::move(text));
    return;
  }
  later(after(options_.reconnect_wait), [server_refused](connection& self) {
    self.one_by_one_ = self.one_by_one_ || server_refused;
    self.reopen();
  });
}

// --- On the connection's thread.
// -----------------------------------------------------------------------

void connection::reopen() {
  if (ended_) return;
  std::shared_ptr<native_connection> made;
  try {
    made = native_connection::connect(options_, role_ == role::bulk, weak_from_this());
  } catch (const std::exception& e) {
    try_again(e.what());
    return;
  }
  std::uint64_t epoch = 0;
  {
    const std::lock_guard lock(kept_mutex_);
    epoch = epoch_;
  }
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
  tries_ = 0;
  one_by_one_ = false;
  suspect_ = 0;
  last_failure_.clear();
  resume(epoch, shown_);
}

void connection::try_again(const std::string& failure) {
  if (options_.max_reconnects >= 0 && ++tries_ >= options_.max_reconnects) {
    end(failure);
    return;
  }
  if (failure != std::exchange(last_failure_, failure)) {
    tell([&](connection_listener& to) { to.failed(failure); });
  }
  later(after(options_.reconnect_wait), [](connection& self) { self.reopen(); });
}

bool connection::subscribe_again(const std::shared_ptr<native_connection>& at) {
  for (const auto& each : subscriptions()) {
    each->attach(at);
    if (!one_by_one_) continue;
    if (at->flush(one_subscription_milliseconds) == NATS_OK || !at->is_refused()) continue;
    const bool again = std::exchange(suspect_, each->number()) == each->number();
    if (!again && !blames_subscription(at->last_error())) return false;
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
    const std::string what =
        std::to_string(lost) + " messages that waited for the connection are given up";
    tell([&](connection_listener& to) { to.failed(with_reason(what)); });
  }
  tell([&](connection_listener& to) { to.ended(role_, with_reason(std::move(text))); });
  for (const auto& each : subscriptions()) each->connection_has_ended();
}

}  // namespace msgbus::nats
