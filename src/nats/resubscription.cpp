// A new connection of nats.c gets the subscriptions of the former one. On the connection's thread.
//
// Normally all are sent at once; one whose receiver is still busy with a message of the former
// connection is sent by nats.c's last call for that. In a search, only this thread sends them, and
// flushes after each, so that the one because of which the server ends the connection is known. A
// subscription that is opened meanwhile is sent before what has been published meanwhile: that is
// kept until the search has ended, and the search ends, with the lock of `add`, when none is left.

#include "connection.hpp"

#include <utility>

namespace msgbus::nats {

bool connection::subscribe_again(const std::shared_ptr<native_connection>& at) {
  if (reopening_.searches()) return subscribe_one_by_one(at);
  for (const auto& each : subscriptions()) (void)each->attach(at);
  if (at->is_closed()) return false;
  reopening_.done();
  return true;
}

// Those that are opened meanwhile come last. Those whose receivers are busy for too long attach
// themselves, after the search.
bool connection::subscribe_one_by_one(const std::shared_ptr<native_connection>& at) {
  using enum subscription::attachment;
  const auto until = std::chrono::steady_clock::now() + limits_.last_calls;
  all_subscriptions held_up, late;
  for (auto next = next_or_done(0); !next.empty(); next = next_or_done(next.back()->number())) {
    for (const auto& each : next) {
      const auto now = each->attach(at);
      if (now == busy) held_up.push_back(each);
      if (now == there && !takes(*at, *each)) return false;
    }
    for (const auto& each : std::exchange(held_up, {})) {
      const auto now = each->attach(at, until);
      if (now == busy) late.push_back(each);
      if (now == there && !takes(*at, *each)) return false;
    }
    if (at->is_closed()) return false;
  }
  for (const auto& each : late) (void)each->attach(at);
  return !at->is_closed();
}

// Whether the server takes it, which was sent last. If not, the connection is closed.
bool connection::takes(native_connection& at, subscription& one) {
  if (at.flush(limits_.flush.count()) == NATS_OK || !at.is_refused()) return true;
  if (!reopening_.blames(one.number(), at.last_error())) return false;
  const std::string why =
      "the server does not take the subscription to '" + one.subject() + "': " + at.last_error();
  tell([&](connection_listener& to) { to.failed(with_reason(why)); });
  one.refuse(std::make_exception_ptr(error(errc::transport_failed, with_reason(why))));
  return false;
}

// Ends the search if none is left. A subscription that is added later finds it ended.
connection::all_subscriptions connection::next_or_done(std::uint64_t above) {
  const std::lock_guard lock(mutex_);
  all_subscriptions next = living(above);
  if (next.empty()) reopening_.done();
  return next;
}

}  // namespace msgbus::nats
