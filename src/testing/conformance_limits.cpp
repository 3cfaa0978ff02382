// Cases of messages that are too large, or too many for a connection that is away.

#include "testing/conformance_tools.hpp"

#include <optional>

namespace msgbus::testing::conformance {

namespace {

using transport::urgency;

// For a transport without a limit: much more than usual must pass.
constexpr std::size_t much = 4 << 20;

std::size_t most(const transport_environment& in) {
  return in.max_payload() == 0 ? much : in.max_payload();
}

void expect_refusal(const error& got, const envelope& of, const transport_environment& in) {
  const std::string_view text = got.what();
  const auto says = [&](const std::string& part) {
    return text.find(part) != std::string_view::npos;
  };
  expect(got.code() == errc::transport_failed, "too large: transport_failed");
  expect(says("'" + of.topic + "'"), "the error names the topic");
  expect(says(std::to_string(in.max_payload())), "the error names the limit");
}

asio::awaitable<void> too_large_to_publish(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  const envelope largest = made(in.topic("a"), std::string(most(in), 'x'));
  for (const urgency each : {urgency::bulk, urgency::at_once}) {
    sender->publish(largest, each);
    if (in.max_payload() == 0) continue;
    envelope larger = largest;
    larger.payload += 'x';
    const error one = thrown_by([&] { sender->publish(larger, each); }, "a byte too many");
    expect_refusal(one, larger, in);
    expect(std::string_view(one.what()).find(std::to_string(larger.payload.size())) !=
               std::string_view::npos,
           "the error names the size");
    envelope headed = largest;
    headed.headers.emplace("A", "1");
    const error other = thrown_by([&] { sender->publish(headed, each); }, "a header too many");
    expect_refusal(other, headed, in);
  }
  sender->publish(made(in.topic("a"), "small"), urgency::at_once);
  co_await got->until_size(3, in.deadline());
  std::size_t large = 0;
  for (const std::string& each : got->payloads()) large += each.size() == most(in) ? 1U : 0U;
  expect(large == 2, "a message of the maximal size arrives, and a larger one does not");
}

asio::awaitable<void> too_large_to_store(transport_environment& in) {
  const connection mine = co_await in.connect();
  co_await make_stream(in, mine);
  if (in.max_payload() != 0) {
    envelope large = with_id(in.topic("a"), "large");
    large.payload.assign(most(in), 'x');  // the header exceeds the limit
    const error e = co_await error_of(mine->store(large, in.deadline()), "a large store");
    expect_refusal(e, large, in);
  }
  const transport::stored kept = co_await store(in, mine, "a", "small");
  expect(kept.sequence == 1, "a message that is too large is not stored, and the next one is");
}

asio::awaitable<void> too_many_to_keep(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  co_await in.cut(*sender);
  const envelope kept = made(in.topic("a"), std::string(1000, 'x'));
  std::size_t sent = 0;
  std::optional<error> refused;
  const std::size_t limit = in.too_many_to_keep();  // 0: there is none that a case can reach
  while (!refused && sent < (limit == 0 ? 100 : limit)) {
    try {
      sender->publish(kept, urgency::bulk);
      ++sent;
    } catch (const error& e) {
      refused = e;
    }
  }
  if (limit != 0) {
    expect(refused && refused->code() == errc::full,
           "while the connection is away, more messages than it keeps are refused with 'full'");
    expect(std::string_view(refused->what()).find("'" + kept.topic + "'") != std::string_view::npos,
           "the error names the topic");
  }
  co_await in.restore(*sender);
  co_await sender->flush(in.deadline());
  sender->publish(made(in.topic("a"), "last"), urgency::bulk);
  co_await got->until_size(sent + 1, in.deadline());
  expect(got->at(sent).payload == "last", "the kept messages arrive, and the refused one does not");
}

}  // namespace

void add_limit_cases(cases& to) {
  to.push_back({"a message that is too large is refused, and the next one is sent", anything,
                too_large_to_publish});
  to.push_back({"a store of a message that is too large is refused immediately", durable,
                too_large_to_store});
  to.push_back(
      {"a connection that is away keeps messages up to a limit, and refuses more with full", away,
       too_many_to_keep});
}

}  // namespace msgbus::testing::conformance
