// Cases of `ensure_stream` and `store`.

#include "testing/conformance_tools.hpp"

namespace msgbus::testing::conformance {

namespace {

using transport::urgency;
using texts = std::vector<std::string>;

// Coroutines are kept small: for large frames, GCC 12 warns of mismatched new and delete.

asio::awaitable<void> make_stream_of(transport_environment& in, const connection& at,
                                     const char* topics, std::int64_t max_messages = -1) {
  transport::stream_options options;
  options.name = in.stream();
  options.in_memory = true;
  options.topics.push_back(in.topic(topics));
  options.max_messages = max_messages;
  return at->ensure_stream(std::move(options));
}

// Expects these payloads as the first messages of the stream, for a new durable.
asio::awaitable<void> expect_payloads(transport_environment& in, connection at, texts wanted,
                                      std::string sentence) {
  const auto got = std::make_shared<collector>();
  const auto source = co_await at->pull(from_stream(in), got);
  source->ask(wanted.size());
  for (const std::string& each : wanted) {
    const auto given = co_await got->next(in.deadline());
    expect(given->message.payload == each, sentence);
    given->ack();
  }
}

asio::awaitable<void> is_kept(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  envelope sent = with_id(in.topic("a.b"), "text");
  sent.headers.emplace("Mixed-Case", "Value");
  const auto where = co_await sender->store(sent, in.deadline());
  expect(where.stream == in.stream(), "'stored' names the stream");
  expect(!where.duplicate, "the first message of an id is no duplicate");
  const auto got = std::make_shared<collector>();
  const auto source = co_await receiver->pull(from_stream(in), got);
  source->ask(1);
  const auto given = co_await got->next(in.deadline());
  expect(given->message.topic == sent.topic, "the topic is the one of the store");
  expect(given->message.payload == "text", "the payload is the one that was stored");
  expect(given->message.headers == sent.headers, "the headers are those that were stored");
  expect(given->times == 1, "the delivery is the first of its message");
  expect(given->ack(), "the delivery can be acknowledged");
}

asio::awaitable<void> sequences(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  std::uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const auto where = co_await store(in, sender, "a", std::to_string(i));
    expect(where.sequence > last, "a stream's sequence numbers grow");
    last = where.sequence;
  }
}

asio::awaitable<void> duplicates(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, sender);
  const auto first = co_await store(in, sender, "a", "one");
  const auto again = co_await store(in, other, "a", "one");
  const auto next = co_await store(in, sender, "a", "two");
  expect(again.duplicate, "a second message of the same id is recognised");
  expect(again.sequence == first.sequence, "a duplicate gets the sequence of the first message");
  expect(!next.duplicate && next.sequence > first.sequence, "another id is another message");
  texts both{"one", "two"};
  co_await expect_payloads(in, other, std::move(both), "a duplicate adds nothing");
}

asio::awaitable<void> no_stream(transport_environment& in) {
  const connection sender = co_await in.connect();
  const std::string topic = in.topic("nowhere");
  const error e =
      co_await error_of(sender->store(with_id(topic, "x"), in.patience() * 2), "a store");
  expect(e.code() == errc::transport_failed, "no stream takes the topic: transport_failed");
  expect(std::string_view(e.what()).find(topic) != std::string_view::npos,
         "the error names the topic");
}

asio::awaitable<void> no_id(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  const error e = co_await error_of(sender->store(made(in.topic("a"), "x"), in.patience() * 2),
                                    "a store without a message id");
  expect(e.code() == errc::bad_arguments, "a store without a message id is 'bad_arguments'");
}

asio::awaitable<void> more_topics(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream_of(in, sender, "a");
  (void)co_await store(in, sender, "a", "one");
  co_await make_stream_of(in, sender, "a");  // adds nothing
  co_await make_stream_of(in, sender, "b.*");
  const auto second = co_await store(in, sender, "b.x", "two");
  const auto third = co_await store(in, sender, "a", "three");
  expect(second.stream == in.stream(), "the stream takes topics that were added");
  expect(third.stream == in.stream(), "the stream takes topics that it had before");
  texts all{"one", "two", "three"};
  co_await expect_payloads(in, sender, std::move(all), "the stream keeps its messages");
}

asio::awaitable<void> keeps_what_is_published(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  sender->publish(made(in.topic("a"), "one"), urgency::bulk);
  co_await sender->flush(in.deadline());
  texts one{"one"};
  co_await expect_payloads(in, sender, std::move(one),
                           "a stream stores the messages of its topics");
}

asio::awaitable<void> listeners_hear_it(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  co_await make_stream(in, sender);
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  (void)co_await store(in, sender, "a", "one");
  co_await got->until_size(1, in.deadline());
  expect(got->at(0).payload == "one", "stored messages also reach subscriptions");
}

asio::awaitable<void> deleted_by_number(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream_of(in, sender, "a", 3);
  for (const char* const each : {"1", "2", "3", "4", "5"}) {
    (void)co_await store(in, sender, "a", each);
  }
  texts last{"3", "4", "5"};
  co_await expect_payloads(in, sender, std::move(last),
                           "the oldest messages are dropped when there are too many");
}

asio::awaitable<void> has_no_streams(transport_environment& in) {
  if (in.supports().durable) co_return;
  const connection mine = co_await in.connect();
  const auto must_be_unsupported = [](const error& e) {
    expect(e.code() == errc::unsupported, "an operation that the transport lacks is 'unsupported'");
  };
  must_be_unsupported(co_await error_of(make_stream(in, mine), "ensure_stream"));
  must_be_unsupported(co_await error_of(store(in, mine, "a", "x"), "store"));
  const auto got = std::make_shared<collector>();
  must_be_unsupported(co_await error_of(mine->pull(from_stream(in), got), "pull"));
  must_be_unsupported(co_await error_of(mine->read(in.stream(), 1), "read"));
  must_be_unsupported(co_await error_of(mine->erase(in.stream(), 1), "erase"));
}

}  // namespace

void add_stream_cases(cases& to) {
  to.push_back({"a source gives messages as they were stored", durable, is_kept});
  to.push_back({"a stream numbers its messages", durable, sequences});
  to.push_back({"a message id is stored once", durable, duplicates});
  to.push_back({"a topic that no stream takes is an error that names it", durable, no_stream});
  to.push_back({"a message without an id is not stored", durable, no_id});
  to.push_back({"a stream may get more topics", durable, more_topics});
  to.push_back({"a stream stores published messages", durable, keeps_what_is_published});
  to.push_back({"subscriptions receive stored messages", durable, listeners_hear_it});
  to.push_back({"a stream keeps no more messages than it should", durable, deleted_by_number});
  to.push_back({"a transport without streams throws 'unsupported'", anything, has_no_streams});
}

}  // namespace msgbus::testing::conformance
