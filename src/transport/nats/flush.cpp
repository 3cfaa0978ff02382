#include "durations.hpp"
#include "status.hpp"
#include "transport.hpp"

#include <msgbus/core/saturate.hpp>

#include <algorithm>

namespace msgbus::nats {

namespace {

// nats.c flushes by waiting: on a thread that is there for it.
answer flush_both(const std::shared_ptr<link>& bulk, const std::shared_ptr<link>& prompt,
                  time_point until) noexcept {
  for (const auto& each : {bulk, prompt}) {
    const auto left = milliseconds(detail::saturating_sub(until, std::chrono::steady_clock::now()));
    const natsStatus status = each->flush(left);
    if (status != NATS_OK) return {answer::how::given, {}, text_of(status), status};
  }
  return {};
}

}  // namespace

asio::awaitable<void> flush(std::shared_ptr<session> through, duration timeout) {
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

}  // namespace msgbus::nats
