// Cases of `pull`: the distribution of messages.

#include "testing/conformance_tools.hpp"

#include <algorithm>
#include <optional>

namespace msgbus::testing::conformance {

namespace {

using texts = std::vector<std::string>;

asio::awaitable<void> store_many(transport_environment& in, connection at, int many) {
  for (int i = 0; i < many; ++i) (void)co_await store(in, at, "a", std::to_string(i));
}

// Takes `many` deliveries in the order of arrival, and acknowledges them.
asio::awaitable<texts> take(std::shared_ptr<collector> from, std::size_t many, duration within) {
  texts got;
  while (got.size() < many) {
    const auto given = co_await from->next(within);
    got.push_back(given->message.payload);
    given->ack();
  }
  co_return got;
}

asio::awaitable<void> credit(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  co_await store_many(in, sender, 6);
  const auto got = std::make_shared<collector>();
  const auto source = co_await receiver->pull(from_stream(in), got);
  // When the control source has received everything, this source would have received something.
  const auto other = std::make_shared<collector>();
  const auto control = co_await receiver->pull(from_stream(in, "control"), other);
  control->ask(3);
  (void)co_await take(other, 3, in.deadline());
  expect(got->came() == 0, "no message comes without credit");
  source->ask(1);
  source->ask(1);
  (void)co_await take(got, 2, in.deadline());
  control->ask(3);
  (void)co_await take(other, 3, in.deadline());
  expect(got->came() == 2, "no more messages come than there was credit for");
  source->ask(10);
  (void)co_await take(got, 4, in.deadline());
  expect(got->came() == 6, "all messages come when there is credit for them");
}

asio::awaitable<void> asked_early(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  const auto got = std::make_shared<collector>();
  const auto source = co_await receiver->pull(from_stream(in), got);
  source->ask(10);
  co_await store_many(in, sender, 3);
  const texts came = co_await take(got, 3, in.deadline());
  expect(came.front() == "0" && came.back() == "2",
         "messages that are stored later arrive in order");
}

asio::awaitable<void> in_order(transport_environment& in) {
  constexpr std::size_t many = 100;
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  co_await store_many(in, sender, static_cast<int>(many));
  const auto got = std::make_shared<collector>();
  const auto source = co_await receiver->pull(from_stream(in), got);
  source->ask(many);
  const texts came = co_await take(got, many, in.deadline());
  for (std::size_t i = 0; i < many; ++i) {
    expect(came[i] == std::to_string(i), "a source gives a stream's messages in order");
  }
}

asio::awaitable<void> settled_for_good(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  co_await store_many(in, sender, 3);
  {
    const connection receiver = co_await in.connect();
    const auto got = std::make_shared<collector>();
    auto source = co_await receiver->pull(from_stream(in), got);
    source->ask(2);
    const auto first = co_await got->next(in.deadline());
    const auto second = co_await got->next(in.deadline());
    expect(first->ack(), "a delivered message can be acknowledged");
    expect(second->term(), "a delivered message can be terminated");
    co_await receiver->flush(in.deadline());
    receiver->close();
  }
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<collector>();
  const auto source = co_await receiver->pull(from_stream(in), got);
  source->ask(10);
  const auto third = co_await got->next(in.deadline());
  expect(third->message.payload == "2",
         "a durable continues where it was, with its unsettled messages");
  expect(third->times == 1, "the remaining message had not been delivered before");
  third->ack();
}

asio::awaitable<void> shared(transport_environment& in) {
  constexpr std::size_t many = 40;
  const connection sender = co_await in.connect();
  const connection one = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, sender);
  // Both sources deliver to one sink, which then shows whether a message comes twice.
  const auto got = std::make_shared<collector>();
  const auto first = co_await one->pull(from_stream(in), got);
  const auto second = co_await other->pull(from_stream(in), got);
  first->ask(many);
  second->ask(many);
  co_await store_many(in, sender, static_cast<int>(many));
  texts came = co_await take(got, many, in.deadline());
  std::ranges::sort(came);
  expect(std::ranges::adjacent_find(came) == came.end(), "sources of a durable share its messages");
}

asio::awaitable<void> each_durable(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  co_await store_many(in, sender, 3);
  for (const char* const each : {"one", "two"}) {
    const auto got = std::make_shared<collector>();
    const auto source = co_await sender->pull(from_stream(in, each), got);
    source->ask(3);
    const texts came = co_await take(got, 3, in.deadline());
    expect(came.front() == "0", "each durable gets all messages of the stream");
  }
}

asio::awaitable<void> filtered(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  for (const char* const each : {"a.x", "b.x", "a.y", "b.y"}) {
    (void)co_await store(in, sender, each, each);
  }
  const auto got = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.filter = in.topic("b.*");
  const auto source = co_await sender->pull(which, got);
  source->ask(10);
  const texts came = co_await take(got, 2, in.deadline());
  expect(came.front() == "b.x" && came.back() == "b.y",
         "a source gives the messages that match its filter");
}

asio::awaitable<void> other_filter(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const auto got = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  which.filter = in.topic("a.*");
  const auto first = co_await mine->pull(which, got);
  transport::pull_options other = which;
  for (const std::string& filter : {in.topic("b.*"), std::string()}) {
    other.filter = filter;
    const error e = co_await error_of(mine->pull(other, got), "another filter");
    const std::string_view text = e.what();
    expect(e.code() == errc::transport_failed, "another filter: transport_failed");
    expect(text.find("'workers'") != text.npos && text.find("filter") != text.npos &&
               text.find(which.filter) != text.npos && text.find(filter) != text.npos,
           "the error names the durable, the field, and both filters");
  }
  (void)co_await store(in, mine, "b.x", "b");
  (void)co_await store(in, mine, "a.x", "a");
  first->ask(2);
  const texts came = co_await take(got, 1, in.deadline());
  expect(came.front() == "a", "the durable keeps its filter");
}

asio::awaitable<void> other_patience(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const auto got = std::make_shared<collector>();
  transport::pull_options which = from_stream(in);
  (void)co_await mine->pull(which, got);
  which.ack_wait = in.patience();
  const auto source = co_await mine->pull(which, got);
  (void)co_await store(in, mine, "a", "x");
  source->ask(2);
  auto first = co_await got->next(in.deadline());
  first.reset();  // its `ack_wait` begins
  const auto second = co_await got->next(in.deadline());
  expect(second->times == 2, "the last source that attaches sets the durable's ack_wait");
  second->ack();
}

asio::awaitable<void> stopped_source(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  co_await store_many(in, sender, 2);
  const auto got = std::make_shared<collector>();
  const auto source = co_await receiver->pull(from_stream(in), got);
  source->ask(1);
  const auto first = co_await got->next(in.deadline());
  source->stop();
  source->ask(1);  // has no effect
  expect(first->ack(), "a delivered message may be settled after the source has stopped");
  co_await receiver->flush(in.deadline());
  const auto later = std::make_shared<collector>();
  const auto next = co_await receiver->pull(from_stream(in), later);
  next->ask(10);
  const auto second = co_await later->next(in.deadline());
  expect(second->message.payload == "1", "a settled message is not redelivered");
  expect(got->came() == 1, "a stopped source gives nothing");
  second->ack();
}

asio::awaitable<void> no_such_stream(transport_environment& in) {
  const connection mine = co_await in.connect();
  const auto got = std::make_shared<collector>();
  const error e = co_await error_of(mine->pull(from_stream(in), got), "a pull without a stream");
  expect(e.code() == errc::transport_failed, "a stream that is not there: transport_failed");
  expect(std::string_view(e.what()).find(in.stream()) != std::string_view::npos,
         "the error names the stream");
}

}  // namespace

void add_durable_cases(cases& to) {
  to.push_back({"a source gives nothing without credit", durable, credit});
  to.push_back({"credit waits for messages", durable, asked_early});
  to.push_back({"messages come in the order of the stream", durable, in_order});
  to.push_back({"a settlement is final", durable, settled_for_good});
  to.push_back({"sources of a durable share", durable, shared});
  to.push_back({"each durable gets everything", durable, each_durable});
  to.push_back({"a durable may be filtered", durable, filtered});
  to.push_back({"a durable keeps its filter", durable, other_filter});
  to.push_back({"an existing durable gets a new ack_wait", durable, other_patience});
  to.push_back({"a stopped source gives nothing", durable, stopped_source});
  to.push_back({"a stream that is not there is an error that names it", durable, no_such_stream});
}

}  // namespace msgbus::testing::conformance
