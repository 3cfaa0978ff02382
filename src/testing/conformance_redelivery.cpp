// Cases of `nak` and of `ack_wait`.

#include "testing/conformance_tools.hpp"

#include <msgbus/detail/exec/clock.hpp>

#include <asio/this_coro.hpp>

#include <condition_variable>
#include <mutex>

namespace msgbus::testing::conformance {

namespace {

using delivery = std::unique_ptr<transport::delivery>;

asio::awaitable<void> nak_returns(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(from_stream(in), got);
  source->ask(3);
  const delivery first = co_await got->next(in.deadline());
  expect(first->nak(duration::zero()), "a delivered message can get a nak");
  const delivery second = co_await got->next(in.deadline());
  expect(second->message.payload == "one", "a message with a nak is redelivered");
  expect(second->times == 2, "a redelivery is counted");
  expect(second->message.headers == first->message.headers, "a redelivery has the same headers");
  expect(second->nak(duration::zero()), "a redelivered message can get a nak");
  const delivery third = co_await got->next(in.deadline());
  expect(third->times == 3, "every delivery is counted");
  third->ack();
}

asio::awaitable<void> nak_waits(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  (void)co_await store(in, mine, "a", "two");
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(from_stream(in), got);
  source->ask(1);
  const delivery first = co_await got->next(in.deadline());
  const auto start = exec::now(here);
  first->nak(in.patience());
  source->ask(2);
  const delivery other = co_await got->next(in.deadline());
  expect(other->message.payload == "two", "other messages come during the delay of a nak");
  other->ack();
  const delivery again = co_await got->next(in.deadline());
  expect(again->message.payload == "one" && again->times == 2,
         "the message with a nak is redelivered");
  // A server's clock may differ a little from this one.
  expect(exec::now(here) - start >= in.patience() * 9 / 10,
         "the message is redelivered when its delay has passed");
  again->ack();
}

asio::awaitable<void> term_is_final(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  (void)co_await store(in, mine, "a", "two");
  const auto got = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto source = co_await mine->pull(which, got);
  source->ask(4);
  const delivery first = co_await got->next(in.deadline());
  delivery second = co_await got->next(in.deadline());
  first->term();
  second.reset();
  // The second delivery's `ack_wait` ends after that of the first would have ended.
  const delivery again = co_await got->next(in.deadline());
  expect(again->message.payload == "two", "a terminated message is not redelivered");
  again->ack();
}

asio::awaitable<void> patience_ends(transport_environment& in) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  const auto got = std::make_shared<collector>();
  const auto elsewhere = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto source = co_await mine->pull(which, got);
  const auto next = co_await other->pull(which, elsewhere);
  source->ask(1);
  const auto start = exec::now(here);
  delivery first = co_await got->next(in.deadline());
  first.reset();
  next->ask(1);
  const delivery again = co_await elsewhere->next(in.deadline());
  expect(again->message.payload == "one", "an unsettled message is redelivered elsewhere");
  expect(again->times == 2, "a redelivery is counted");
  expect(exec::now(here) - start >= in.patience() * 9 / 10,
         "the message is redelivered when ack_wait has passed");
  again->ack();
}

asio::awaitable<void> destroyed_unsettled(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  const auto got = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto source = co_await mine->pull(which, got);
  source->ask(2);
  delivery first = co_await got->next(in.deadline());
  first.reset();
  const delivery again = co_await got->next(in.deadline());
  expect(again->times == 2, "a delivery that is destroyed unsettled is redelivered");
  again->ack();
}

asio::awaitable<void> alive_is_in_progress(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "long");
  (void)co_await store(in, mine, "a", "tick");
  const auto got = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto source = co_await mine->pull(which, got);
  source->ask(2);
  delivery long_one = co_await got->next(in.deadline());
  delivery tick = co_await got->next(in.deadline());
  // The other message measures time: it gets a nak, and is redelivered after the delay.
  for (int i = 0; i < 6; ++i) {
    tick->nak(in.patience() / 2);
    source->ask(1);
    tick = co_await got->next(in.deadline());
    expect(tick->message.payload == "tick",
           "a message is not redelivered while its delivery object exists");
  }
  tick->ack();
  long_one.reset();
  source->ask(1);
  const delivery again = co_await got->next(in.deadline());
  expect(again->message.payload == "long" && again->times == 2,
         "ack_wait begins when the delivery object is destroyed");
  again->ack();
}

// Blocks the thread, as a plain handler may.
void block_thread(duration how_long) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, how_long, [] { return false; });
}

asio::awaitable<void> alive_while_blocked(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "long");
  const auto got = std::make_shared<collector>();
  const auto elsewhere = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto source = co_await mine->pull(which, got);
  const auto next = co_await other->pull(which, elsewhere);
  source->ask(1);
  const delivery long_one = co_await got->next(in.deadline());
  next->ask(1);
  block_thread(in.patience() * 3);
  expect(long_one->ack(), "a delivery can be settled after its owner's thread was busy for long");
  co_await mine->flush(in.deadline());
  (void)co_await store(in, mine, "a", "later");
  const delivery later = co_await elsewhere->next(in.deadline());
  expect(later->message.payload == "later", "the message was not redelivered meanwhile");
  later->ack();
}

asio::awaitable<void> credit_for_redelivery(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  (void)co_await store(in, mine, "a", "two");
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(from_stream(in), got);
  source->ask(1);
  const delivery first = co_await got->next(in.deadline());
  first->nak(duration::zero());
  const auto other = std::make_shared<collector>();
  const auto control = co_await mine->pull(from_stream(in, "control"), other);
  control->ask(2);
  for (int i = 0; i < 2; ++i) {
    const delivery each = co_await other->next(in.deadline());
    each->ack();
  }
  expect(got->came() == 1, "a redelivery needs credit");
  source->ask(2);
  const delivery a = co_await got->next(in.deadline());
  const delivery b = co_await got->next(in.deadline());
  expect(a->message.payload != b->message.payload, "a redelivery arrives beside new messages");
  a->ack();
  b->ack();
}

asio::awaitable<void> closed_unsettled(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, mine);
  (void)co_await store(in, mine, "a", "one");
  const auto got = std::make_shared<collector>();
  const auto elsewhere = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.ack_wait = in.patience();
  const auto source = co_await other->pull(which, got);
  const auto next = co_await mine->pull(which, elsewhere);
  source->ask(1);
  const delivery first = co_await got->next(in.deadline());
  other->close();
  expect(!first->ack(), "a settlement that does not reach the transport returns false");
  next->ask(1);
  const delivery again = co_await elsewhere->next(in.deadline());
  expect(again->message.payload == "one" && again->times >= 2,
         "unsettled messages of a closed connection are delivered elsewhere");
  again->ack();
}

}  // namespace

void add_redelivery_cases(cases& to) {
  to.push_back({"a nak brings a message back", durable, nak_returns});
  to.push_back({"a nak with a delay brings it back later", durable, nak_waits});
  to.push_back({"a term is final", durable, term_is_final});
  to.push_back({"an unsettled message is redelivered after ack_wait", durable, patience_ends});
  to.push_back({"a delivery that is destroyed was not settled", durable, destroyed_unsettled});
  to.push_back(
      {"a message is in progress while its delivery object exists", durable, alive_is_in_progress});
  to.push_back({"a busy thread does not cause a redelivery", durable, alive_while_blocked});
  to.push_back({"redeliveries need credit", durable, credit_for_redelivery});
  to.push_back({"a closed connection settles nothing", durable, closed_unsettled});
}

}  // namespace msgbus::testing::conformance
