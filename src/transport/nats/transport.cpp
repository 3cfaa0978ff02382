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

#include "jetstream.hpp"
#include "puller.hpp"
#include "store.hpp"
#include "subscription.hpp"
#include "transport/names.hpp"

#include <msgbus/core/topic.hpp>

#include <algorithm>

namespace msgbus::nats {

namespace {

// What `make_inbox` makes; no other way to get an inbox is offered.
constexpr std::string_view inbox_prefix = "_INBOX.";

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
  return nats::flush(session_, timeout);
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
