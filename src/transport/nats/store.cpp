#include "jetstream.hpp"
#include "stored_answer.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <optional>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

// When so few are under way, nothing is gained by sending them together.
constexpr std::size_t few = 8;

// After so long an answer is taken to be lost.
constexpr auto one_try = 2s;

constexpr int tries_if_nobody_listens = 3;
constexpr auto between_tries = 200ms;
constexpr int for_the_moment = 503;  // JetStream's code for what passes: no leader, no room

/// One try. Gives nothing if another one may do better.
asio::awaitable<std::optional<transport::stored>> try_to_store(std::shared_ptr<session> through,
                                                               const envelope& message,
                                                               deadline until, int& nobody) {
  const role which = through->replies_awaited() < few ? role::prompt : role::bulk;
  answer got;
  if (through->over(which)->is_away()) {
    // It would be sent again and again when the connection is back.
    got.came = answer::how::lost;
    through->check_ended(got, which, until, "store '" + message.topic + "'");
    co_return std::nullopt;
  }
  try {
    const deadline this_try = until.or_sooner(one_try);
    got = co_await through->asking(which).ask(message, this_try);
  } catch (const error& e) {
    if (e.code() != errc::full && e.code() != errc::disconnected) throw;
    got.came = answer::how::lost;
  }
  transport::stored done;
  // First of all, since nearly every answer is this.
  if (got.came == answer::how::given && read_stored(got.payload, done)) co_return done;
  const std::string what = "store '" + message.topic + "'";
  through->check_ended(got, which, until, what);
  if (got.came != answer::how::given) co_return std::nullopt;
  if (!got.status.empty()) {
    if (++nobody < tries_if_nobody_listens) co_return std::nullopt;
    throw error(errc::transport_failed, "no stream takes '" + message.topic + "'");
  }
  json said = json::parse(got.payload, nullptr, false);
  if (!said.is_object()) throw error(errc::transport_failed, what + ": the answer is not JSON");
  if (refusal_of(said).code != for_the_moment) check_answer(said, what);
  if (refusal_of(said).text.empty()) {
    throw error(errc::transport_failed, what + ": the answer is not JetStream's");
  }
  co_return std::nullopt;
}

}  // namespace

asio::awaitable<transport::stored> store(std::shared_ptr<session> through, envelope message,
                                         duration timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, timeout);
  transport::check_storable(message);
  int nobody = 0;
  for (;;) {
    auto done = co_await try_to_store(through, message, until, nobody);
    if (done) {
      transport::stored result = std::move(*done);
      co_return result;
    }
    const duration left = until.left();
    co_await through->pause(std::min<duration>(left, between_tries));
    if (left <= between_tries) {
      throw through->out_of_time(role::bulk, "store '" + message.topic + "'");
    }
  }
}

}  // namespace msgbus::nats
