// A transport has two connections, because one cannot both send at once and send many together:
//
// - bulk: nats.c's flusher sends what has gathered every millisecond. Carries what is published in
//   bulk, what settles deliveries, and stores of which many are under way. It holds the
//   subscriptions to topics.
// - prompt: everything is sent at once (SendAsap). Carries what is published at once, all requests
//   of our own (JetStream's API, pulling), and stores of which few are under way. It holds the
//   subscriptions to inboxes, and those that pull.
//
// Echo. With `options::echo` off, the server does not send a connection what it published itself
// (NoEcho). Only bulk has that: so what was published in bulk does not come back to topics. Prompt
// has not: a request that was published at once reaches a service that is subscribed on bulk, as
// one connection's message for another; the service's reply, published at once, comes back to the
// inbox on prompt.
//
// Order. What one connection sends the server sees in order. An inbox's subscription and a request
// that names it are both on prompt, so the answer cannot come too early, and without a flush; the
// server's 'no responders' also only goes to the connection that sent the request, which must be
// the one that has the inbox. Between bulk and prompt there is no order, unless by `flush`, which
// takes both.

#include "transport.hpp"

#include "durations.hpp"
#include "jetstream.hpp"
#include "puller.hpp"
#include "status.hpp"
#include "subscription.hpp"
#include "transport/names.hpp"

#include <msgbus/core/saturate.hpp>
#include <msgbus/core/topic.hpp>

#include <algorithm>

namespace msgbus::nats {

namespace {

// What `make_inbox` makes; no other way to get an inbox is offered.
constexpr std::string_view inbox_prefix = "_INBOX.";

// nats.c flushes by waiting: on a thread that is there for it.
answer flush_both(const std::shared_ptr<connection>& bulk,
                  const std::shared_ptr<connection>& prompt, time_point until) noexcept {
  for (const auto& each : {bulk, prompt}) {
    const auto left = milliseconds(detail::saturating_sub(until, std::chrono::steady_clock::now()));
    const natsStatus status = each->flush(left);
    if (status != NATS_OK) return {answer::how::given, {}, text_of(status), status};
  }
  return {};
}

asio::awaitable<void> flush_session(std::shared_ptr<session> through, duration timeout) {
  const auto until = detail::saturating_add(std::chrono::steady_clock::now(), timeout);
  const std::string what = "flush";
  const auto bulk = through->over(role::bulk);
  const auto prompt = through->over(role::prompt);
  while (bulk->is_away() || prompt->is_away()) {
    const answer none;
    for (const role each : {role::bulk, role::prompt}) {
      through->check_ended(none, each, until, what);
    }
    if (std::chrono::steady_clock::now() >= until) {
      throw through->out_of_time(bulk->is_away() ? role::bulk : role::prompt, what);
    }
    // It may have come back just now.
    const auto next = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    co_await through->pause(std::min<time_point>(until, next));
  }
  const waits::place mine(through->waiting(), until, waits::kind::other);
  through->blocking()->run(
      [=, where = mine.where()] { where->give(flush_both(bulk, prompt, until)); });
  answer got = co_await mine.wait();
  through->check_ended(got, role::bulk, until, what);
  const auto status = static_cast<natsStatus>(got.code);
  if (status != NATS_OK) {
    // Nobody has closed it, as was looked up just now: nats.c has given up on a connection.
    const errc code = code_of(status) == errc::closed ? errc::disconnected : code_of(status);
    throw error(code, what + ": " + bulk->server() + ": " + got.payload);
  }
}

}  // namespace

nats_transport::nats_transport(std::shared_ptr<session> connected)
    : session_(std::move(connected)) {}

msgbus::transport::features nats_transport::supports() const noexcept {
  return {.durable = true, .persistent = true, .holds_back = false, .away = true};
}

const asio::any_io_executor& nats_transport::get_executor() const noexcept {
  return session_->executor();
}

void nats_transport::publish(const envelope& message, msgbus::transport::urgency when) {
  const bool in_bulk = when == msgbus::transport::urgency::bulk;
  session_->over(in_bulk ? role::bulk : role::prompt)->publish(message, message.reply_to);
}

std::unique_ptr<msgbus::transport::feed> nats_transport::subscribe(
    const std::string& pattern, const std::string& group,
    std::shared_ptr<msgbus::transport::sink> to) {
  detail::check_pattern(pattern);
  if (!group.empty()) detail::check_topic(group);
  msgbus::transport::check_names(pattern, {}, group);
  const role which = pattern.starts_with(inbox_prefix) ? role::prompt : role::bulk;
  return open_feed(session_->over(which), pattern, group,
                   std::max(1, session_->how().pending_limit), std::move(to));
}

std::string nats_transport::new_inbox() { return make_inbox(); }

asio::awaitable<void> nats_transport::flush(duration timeout) {
  return flush_session(session_, timeout);
}

asio::awaitable<void> nats_transport::ensure_stream(msgbus::transport::stream_options stream) {
  return nats::ensure_stream(session_, std::move(stream));
}

asio::awaitable<msgbus::transport::stored> nats_transport::store(envelope message,
                                                                 duration timeout) {
  return nats::store(session_, std::move(message), timeout);
}

asio::awaitable<std::unique_ptr<msgbus::transport::source>> nats_transport::pull(
    msgbus::transport::pull_options which, std::shared_ptr<msgbus::transport::delivery_sink> to) {
  return nats::pull(session_, std::move(which), std::move(to));
}

void nats_transport::close() noexcept { session_->close(); }

}  // namespace msgbus::nats
