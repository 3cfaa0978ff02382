// Who may be where: nats.c's callback thread is in `lost`, `back`, `closed`, `slow` and `failed`,
// one call at a time; it blocks nowhere, since all connections of the program share it. The
// connection's own thread (`thread_`) opens connections, subscribes again and sends what has
// waited, one job at a time. Users' threads send and close. What is decided when nats.c loses a
// connection, has it back, or gives up on it is in reconnection.hpp.

#include "connection.hpp"

#include "policy/backoff.hpp"
#include "transport/names.hpp"
#include "urls.hpp"

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::nats {

namespace {

// So many subscriptions that have ended are destroyed together.
constexpr std::size_t retired_at_once = 64;
constexpr std::int64_t reclaim_milliseconds = 2000;

/// Whether the write has failed: nats.c has not seen yet that the connection is lost. The last
/// bytes of the message were not written, so the server has not taken it.
bool is_broken(natsStatus status) noexcept {
  return status == NATS_IO_ERROR || status == NATS_TIMEOUT;
}

// Clients that have lost the same server do not all come back at the same moment.
blocking_thread::time_point after(duration wait) {
  const duration longest = std::min<duration>(wait, std::chrono::hours(1)) / 4;
  const auto jitter = std::chrono::duration_cast<duration>(longest * detail::random_part());
  return detail::saturating_add(detail::saturating_add(std::chrono::steady_clock::now(), wait),
                                jitter);
}

}  // namespace

connection::connection(const options& options, role which,
                       std::weak_ptr<connection_listener> listener, limits within)
    : options_(options),
      role_(which),
      shown_(msgbus::nats::shown(options.url)),
      listener_(std::move(listener)),
      kept_(static_cast<std::size_t>(std::max(0, options.reconnect_buffer))),
      reopening_(options.max_reconnects),
      limits_(within) {}

std::shared_ptr<connection> connection::connect(const options& options, role which,
                                                std::weak_ptr<connection_listener> listener) {
  return connect(options, which, std::move(listener), limits());
}

std::shared_ptr<connection> connection::connect(const options& options, role which,
                                                std::weak_ptr<connection_listener> listener,
                                                limits within) {
  std::shared_ptr<connection> made(new connection(options, which, std::move(listener), within));
  auto first = made->connect_first();
  {
    const std::lock_guard lock(made->mutex_);
    made->current_ = first;
  }
  // It may have been closed before this knew it.
  if (first->is_closed()) made->closed(*first, NATS_ERR, first->last_error());
  return made;
}

// Up to 3.7, nats.c leaves out one of 256 signatures of a credentials file.
std::shared_ptr<native_connection> connection::connect_first() {
  for (int tries = options_.credentials_file.empty() ? 1 : 3;; --tries) {
    try {
      return native_connection::connect(options_, role_ == role::bulk, weak_from_this());
    } catch (const error& e) {
      if (tries == 1 || e.code() != errc::access_denied) throw;
    }
  }
}

connection::~connection() { close(0); }

// --- Sending. ------------------------------------------------------------------------------------

void connection::publish(const envelope& message, const std::string& reply_to) {
  check(message);
  publish_checked(message, reply_to);
}

void connection::publish_checked(const envelope& message, const std::string& reply_to) {
  transport::check_names(message.topic, reply_to, {});
  if (!kept_.must_keep()) {
    const auto at = current();
    const natsStatus status = at->publish(message, reply_to);
    if (status == NATS_OK) return;
    if (status == NATS_MAX_PAYLOAD) throw transport::too_large(message, at->max_payload());
    if (!must_wait(status)) throw failed(status, "publish to '" + message.topic + "'");
  }
  keep(message, reply_to);
}

bool connection::send(const std::string& subject, const std::string& reply_to,
                      std::string_view text) noexcept {
  if (!kept_.must_keep()) {
    const auto at = current();
    const natsStatus status = at->publish(subject, reply_to, text);
    if (status == NATS_OK) return true;
    if (!must_wait(status)) return false;
  }
  try {
    keep(envelope{.topic = subject, .payload = std::string(text)}, reply_to);
    return true;
  } catch (const std::exception&) {
    return false;  // as promised: the caller counts it
  }
}

bool connection::must_wait(natsStatus status) const noexcept {
  // nats.c reconnects, and was told to keep nothing; or it has given up, and this goes on.
  return status == NATS_INSUFFICIENT_BUFFER || (status == NATS_CONNECTION_CLOSED && !ended_) ||
         is_broken(status);
}

void connection::keep(const envelope& message, const std::string& reply_to) {
  const std::string text = "publish to '" + message.topic + "'";
  std::vector<std::string> refused;
  {
    const std::lock_guard lock(kept_mutex_);
    if (ended_) throw failed(NATS_CONNECTION_CLOSED, text);
    if (!kept_.keep(message, reply_to)) {
      throw error(errc::full, text + ": the connection to " + shown_ + " is away, and " +
                                  std::to_string(kept_.bytes()) + " bytes wait for it, of " +
                                  std::to_string(kept_.most_bytes()) + " at most");
    }
    // It may have come back between the try to send and here, and nobody else would send it.
    if (!kept_.is_away()) send_kept(refused);
  }
  tell_refused(refused);
}

// With `kept_mutex_`.
void connection::send_kept(std::vector<std::string>& refused) {
  const auto at = current();
  while (const envelope* const first = kept_.first()) {
    const natsStatus status = at->publish(*first, first->reply_to);
    const auto next = kept_.tried(attempt_of(status));
    if (next == kept_messages::decision::wait) return;
    if (next == kept_messages::decision::give_up) {
      const std::string why = status == NATS_MAX_PAYLOAD
                                  ? transport::too_large(*first, at->max_payload()).what()
                                  : failure(status, "publish to '" + first->topic + "'").what();
      refused.push_back(why + " (it had waited for the connection, and is given up)");
    }
    kept_.pop();
  }
}

kept_messages::attempt connection::attempt_of(natsStatus status) const noexcept {
  if (status == NATS_OK) return kept_messages::attempt::sent;
  if (is_broken(status)) return kept_messages::attempt::broken;
  return must_wait(status) ? kept_messages::attempt::too_early : kept_messages::attempt::refused;
}

void connection::tell_refused(const std::vector<std::string>& refused) const {
  for (const std::string& each : refused) {
    tell([&](connection_listener& to) { to.failed(shown_ + ": " + each); });
  }
}

void connection::run_at(blocking_thread::time_point when, std::function<void()> job) {
  thread_.at(when, std::move(job));
}

natsStatus connection::flush(std::int64_t milliseconds) noexcept {
  // A PING that is lost with its connection would make later flushes fail.
  return is_away() ? NATS_CONNECTION_DISCONNECTED : current()->flush(milliseconds);
}

// --- Its state. ----------------------------------------------------------------------------------

std::shared_ptr<native_connection> connection::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool connection::is_current(const native_connection& one) const {
  const std::lock_guard lock(mutex_);
  return current_.get() == &one;
}

bool connection::is_away() const noexcept {
  return kept_.must_keep() || !current()->is_connected();
}

void connection::close(std::int64_t flush_milliseconds) noexcept {
  if (closed_.exchange(true)) return;
  const bool had_ended = ended_.exchange(true);
  const auto at = current();
  if (!at) return;  // it could not be made
  if (flush_milliseconds > 0 && !had_ended && at->is_connected()) at->flush(flush_milliseconds);
  at->close();
  give_up_kept();
  for (const auto& each : subscriptions()) each->connection_has_ended();
}

std::size_t connection::give_up_kept() noexcept {
  const std::lock_guard lock(kept_mutex_);
  return kept_.give_up_all();
}

error connection::failed(natsStatus status, const std::string& text) const {
  if (status == NATS_CONNECTION_CLOSED && !closed_) {
    return error(errc::disconnected, text + ": the connection to " + shown_ + " has ended");
  }
  if (code_of(status) == errc::closed) return error(errc::closed, text + ": closed");
  return failure(status, text);
}

// --- Subscriptions. ------------------------------------------------------------------------------

void connection::add(const std::shared_ptr<subscription>& added) {
  const std::lock_guard lock(mutex_);
  subscriptions_.emplace(added->number(), added);
}

void connection::remove(std::uint64_t number) noexcept {
  const std::lock_guard lock(mutex_);
  subscriptions_.erase(number);
}

connection::all_subscriptions connection::subscriptions() const {
  const std::lock_guard lock(mutex_);
  return living(0);
}

// With the lock. Those whose numbers are above.
connection::all_subscriptions connection::living(std::uint64_t above) const {
  all_subscriptions all;
  all.reserve(subscriptions_.size());
  for (auto at = subscriptions_.upper_bound(above); at != subscriptions_.end(); ++at) {
    if (auto there = at->second.lock()) all.push_back(std::move(there));
  }
  return all;
}

void connection::retire(const std::shared_ptr<native_connection>& of,
                        natsSubscription* ended) noexcept {
  if (of->retire(ended) < retired_at_once || ended_ || reclaims_.exchange(true)) return;
  thread_.run([weak = weak_from_this(), of] {
    (void)of->flush(reclaim_milliseconds);
    if (const auto self = weak.lock()) self->reclaims_ = false;
  });
}

// --- When nats.c loses it, has it back, or gives up on it. ---------------------------------------

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
void connection::closed(native_connection& at, natsStatus why, std::string text) {
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
  if (!subscribe_again(made)) return closed(*made, NATS_ERR, made->last_error());
  resume(loss, shown_);
}

void connection::try_again(const std::string& failure) {
  if (!reopening_.failed()) return end(failure);
  if (reopening_.is_news(failure)) {
    tell([&](connection_listener& to) { to.failed(failure); });
  }
  later(after(options_.reconnect_wait), [](connection& self) { self.reopen(); });
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
