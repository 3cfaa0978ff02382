// Cases of `read` and `erase`: single messages of a stream.

#include "testing/conformance_tools.hpp"

#include <optional>

namespace msgbus::testing::conformance {

namespace {

using transport::stored_message;
using numbers = std::vector<std::uint64_t>;

// Stores messages with these payloads; -> their sequence numbers.
asio::awaitable<numbers> store_all(transport_environment& in, connection at,
                                   std::vector<std::string> payloads) {
  numbers all;
  for (const std::string& each : payloads) {
    const auto where = co_await store(in, at, "a", each);
    all.push_back(where.sequence);
  }
  co_return all;
}

asio::awaitable<numbers> store_three(transport_environment& in, connection at) {
  std::vector<std::string> payloads{"one", "two", "three"};
  return store_all(in, std::move(at), std::move(payloads));
}

// The payload of the message that is read; "none" if there is none.
asio::awaitable<std::string> payload_at(transport_environment& in, connection at,
                                        std::uint64_t from) {
  const std::optional<stored_message> one = co_await at->read(in.stream(), from);
  std::string payload = one ? one->message.payload : "none";
  co_return payload;
}

asio::awaitable<void> reads_each(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  envelope sent = with_id(in.topic("a.b"), "text");
  sent.headers.emplace("Mixed-Case", "Value");
  sent.headers.add("Mixed-Case", "another value");
  const auto where = co_await mine->store(sent, in.deadline());
  const std::optional<stored_message> one = co_await mine->read(in.stream(), where.sequence);
  expect(one.has_value(), "a stored message can be read");
  expect(one->sequence == where.sequence, "it has the sequence number of the store");
  expect(one->message.topic == sent.topic, "its topic is the one of the store");
  expect(one->message.payload == sent.payload, "its payload is the one that was stored");
  expect(one->message.headers == sent.headers, "its headers are those that were stored");
  expect(one->message.reply_to.empty(), "it has no reply topic");
}

asio::awaitable<void> all_bytes(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  // Three lengths in a row, since transports may code bytes in groups.
  const std::vector<std::string> payloads{bytes, bytes.substr(1), bytes.substr(2), std::string()};
  for (const std::string& each : payloads) {
    envelope sent = with_id(in.topic("a"), std::to_string(each.size()));
    sent.payload = each;
    const auto where = co_await mine->store(std::move(sent), in.deadline());
    const std::string got = co_await payload_at(in, mine, where.sequence);
    expect(got == each, "the payload is read as it was stored, whatever bytes it has");
  }
}

asio::awaitable<void> large(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const std::size_t limit = in.max_payload() == 0 ? 4 << 20 : in.max_payload();
  const envelope sent = with_id(in.topic("a"), "large");
  envelope filled = sent;
  filled.payload.assign(limit - 1000, 'x');  // there is space for the headers
  const auto where = co_await mine->store(filled, in.deadline());
  const std::string got = co_await payload_at(in, mine, where.sequence);
  expect(got == filled.payload, "a message is read whole, however large it is");
}

asio::awaitable<void> reads_next(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const numbers at = co_await store_three(in, mine);
  expect(co_await payload_at(in, mine, 0) == "one", "from the beginning, the first one is read");
  expect(co_await payload_at(in, mine, at[0] + 1) == "two", "after it, the second one is read");
  (void)co_await mine->erase(in.stream(), at[1]);
  expect(co_await payload_at(in, mine, at[0] + 1) == "three", "erased messages are passed over");
  expect(co_await payload_at(in, mine, at[2] + 1) == "none", "after the last one there is none");
  (void)co_await mine->erase(in.stream(), at[2]);
  expect(co_await payload_at(in, mine, at[1]) == "none", "there is none if the rest is erased");
}

asio::awaitable<void> times(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const numbers at = co_await store_three(in, mine);
  const std::optional<stored_message> first = co_await mine->read(in.stream(), at[0]);
  const std::optional<stored_message> last = co_await mine->read(in.stream(), at[2]);
  expect(first && last, "both can be read");
  expect(first->at > std::chrono::system_clock::time_point{},
         "a message has the time of its store");
  constexpr auto rounding = std::chrono::milliseconds(100);
  expect(first->at <= last->at + rounding, "a later message has no earlier time");
}

asio::awaitable<void> erases(transport_environment& in) {
  const connection mine = co_await in.connect();
  const connection other = co_await in.connect();
  co_await make_stream(in, mine);
  const numbers at = co_await store_three(in, mine);
  expect(co_await other->erase(in.stream(), at[0]), "a message that is there is erased");
  expect(!co_await mine->erase(in.stream(), at[0]), "one that was erased is not there");
  expect(!co_await mine->erase(in.stream(), at[2] + 100), "nor is one that was never stored");
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(from_stream(in), got);
  source->ask(3);
  const auto second = co_await got->next(in.deadline());
  expect(second->message.payload == "two", "an erased message is not delivered");
  expect(second->sequence == at[1], "the others keep their sequence numbers");
  second->ack();
  const auto next = co_await store(in, mine, "a", "four");
  expect(next.sequence == at[2] + 1, "and so does the next message");
}

asio::awaitable<void> erases_delivered(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const numbers at = co_await store_three(in, mine);
  const auto got = std::make_shared<collector>();
  const auto source = co_await mine->pull(from_stream(in), got);
  source->ask(1);
  const auto first = co_await got->next(in.deadline());
  expect(co_await mine->erase(in.stream(), at[0]), "a message that is being handled is erased");
  first->nak({});
  co_await mine->flush(in.deadline());
  source->ask(2);
  for (const char* const each : {"two", "three"}) {
    const auto next = co_await got->next(in.deadline());
    expect(next->message.payload == each, "an erased message is not delivered again");
    next->ack();
  }
}

asio::awaitable<void> no_stream_to_read(transport_environment& in) {
  const connection mine = co_await in.connect();
  const auto must_name_it = [&](const error& e) {
    expect(e.code() == errc::transport_failed, "a stream that is not there: transport_failed");
    expect(std::string_view(e.what()).find(in.stream()) != std::string_view::npos,
           "the error names the stream");
  };
  must_name_it(co_await error_of(mine->read(in.stream(), 1), "a read without a stream"));
  must_name_it(co_await error_of(mine->erase(in.stream(), 1), "an erase without a stream"));
  const error e = co_await error_of(mine->read("A.B", 1), "a read from 'A.B'");
  expect(e.code() == errc::bad_arguments, "a name that no stream has is 'bad_arguments'");
}

asio::awaitable<void> away_from_stream(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  const numbers at = co_await store_three(in, mine);
  co_await in.cut(*mine);
  const error e = co_await error_of(mine->erase(in.stream(), at[0]), "an erase while away");
  expect(e.code() == errc::disconnected, "while the connection is away: disconnected");
  co_await in.restore(*mine);
  co_await mine->flush(in.deadline());
  expect(co_await payload_at(in, mine, at[1]) == "two", "when it is back, messages can be read");
}

}  // namespace

void add_stored_cases(cases& to) {
  to.push_back({"a message of a stream can be read", durable, reads_each});
  to.push_back({"a message is read with any bytes", durable, all_bytes});
  to.push_back({"a large message can be read", durable, large});
  to.push_back({"reading passes over erased messages", durable, reads_next});
  to.push_back({"a message is read with the time of its store", durable, times});
  to.push_back({"an erased message is gone", durable, erases});
  to.push_back({"an erased message is not redelivered", durable, erases_delivered});
  to.push_back({"reading from no stream is an error that names it", durable, no_stream_to_read});
  to.push_back({"a stream cannot be read while away", durable_and_away, away_from_stream});
}

}  // namespace msgbus::testing::conformance
