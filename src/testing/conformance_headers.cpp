// Cases of headers: each arrives unchanged, or is refused.

#include "testing/conformance_tools.hpp"

#include <utility>

namespace msgbus::testing::conformance {

namespace {

using transport::urgency;

// Not in coroutines: GCC 12 does not compile an initializer list in an expression with `co_await`.
headers odd_headers() {
  return {{"A-Text", "k\xc3\xa4se"}, {"B", "a  b"},       {"C", "a: b"}, {"D", ":"},
          {"E", "No-Header: x"},     {"F", "\"quoted\""}, {"G", ","},    {"H", "\xff"},
          {"!#$%&'*+-.^_`|~09", "x"}};
}
std::vector<std::pair<std::string, std::string>> headers_to_refuse() {
  return {{"A-Tenant", ""},      {"A-Tenant", " "},
          {"A-Tenant", " x"},    {"A-Tenant", "x "},
          {"A-Tenant", "\t"},    {"A-Tenant", "x\t"},
          {"A-Tenant", "x\ty"},  {"A-Tenant", "x\nB: y"},
          {"A-Tenant", "x\r\n"}, {"A-Tenant", "\x01"},
          {"A-Tenant", "x\x7f"}, {"", "x"},
          {"A Tenant", "x"},     {"A:", "x"},
          {"A\nB", "x"},         {"k\xc3\xa4se", "x"},
          {"Status", "503"},     {"A-Tenant", std::string("x\0y", 3)}};
}

asio::awaitable<void> odd_headers_arrive(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  envelope sent = made(in.topic("a"), "x");
  sent.headers = odd_headers();
  sender->publish(sent, urgency::bulk);
  co_await got->until_size(1, in.deadline());
  expect(got->at(0).headers == sent.headers, "headers that are not refused arrive as they were");
}

asio::awaitable<void> headers_refused(transport_environment& in) {
  const connection sender = co_await in.connect();
  const connection receiver = co_await in.connect();
  const auto got = std::make_shared<recorder>();
  const auto feed = co_await listen(receiver, in.topic("a"), "", got, in.deadline());
  const auto all = headers_to_refuse();
  for (const auto& [name, value] : all) {
    envelope sent = made(in.topic("a"), "refused");
    sent.headers.emplace(name, value);
    sent.headers.emplace("B-Next", "next");
    const auto publish = [&] { sender->publish(sent, urgency::bulk); };
    const error e = thrown_by(publish, "publishing the header '" + name + "': '" + value + "'");
    expect(e.code() == errc::bad_arguments, "a header that cannot be sent is 'bad_arguments'");
    const std::string shown = name.substr(0, name.find_first_of("\r\n"));  // the rest is escaped
    expect(std::string_view(e.what()).find(shown) != std::string_view::npos,
           "the error names the header");
  }
  sender->publish(made(in.topic("a"), "next"), urgency::bulk);
  co_await got->until_size(1, in.deadline());
  const std::vector<std::string> next{"next"};
  expect(got->payloads() == next, "a refused message is not sent, and the next one is");
}

asio::awaitable<void> headers_not_stored(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  const auto all = headers_to_refuse();
  for (const auto& [name, value] : all) {
    envelope sent = with_id(in.topic("a"), "refused");
    sent.headers.emplace(name, value);
    const error e = co_await error_of(sender->store(std::move(sent), in.deadline()), "a store");
    expect(e.code() == errc::bad_arguments, "a header that cannot be sent is 'bad_arguments'");
  }
}

// `%` stands for an id that only this test run uses.
const std::vector<std::string>& ids_to_refuse() {
  static const std::vector<std::string> all{"", " ", " %", "% ", "%\n", "\t%", "%\r\n", "%\x01"};
  return all;
}
const std::vector<std::string>& ids_that_differ() {
  static const std::vector<std::string> all{"%", "%.", "% 1", "%  1", "%:1", "%: 1"};
  return all;
}
std::string id_from(std::string pattern, const std::string& own) {
  const std::size_t at = pattern.find('%');
  if (at != std::string::npos) pattern.replace(at, 1, own);
  return pattern;
}

asio::awaitable<void> ids_stay_apart(transport_environment& in) {
  const connection sender = co_await in.connect();
  co_await make_stream(in, sender);
  for (const std::string& each : ids_to_refuse()) {
    envelope sent = made(in.topic("a"), "refused");
    sent.headers.emplace(header::message_id, id_from(each, in.topic("id")));
    const error e = co_await error_of(sender->store(std::move(sent), in.deadline()), "a store");
    expect(e.code() == errc::bad_arguments, "an id that cannot be sent is 'bad_arguments'");
  }
  std::uint64_t sequence = 0;
  for (const std::string& each : ids_that_differ()) {
    envelope sent = made(in.topic("a"), "kept");
    sent.headers.emplace(header::message_id, id_from(each, in.topic("id")));
    auto storing = sender->store(std::move(sent), in.deadline());
    const transport::stored at = co_await std::move(storing);
    expect(!at.duplicate, "messages whose ids differ are not duplicates");
    expect(at.sequence == ++sequence, "nothing that was refused is stored");
  }
}

}  // namespace

void add_header_cases(cases& to) {
  to.push_back({"headers that can be sent arrive as they were", anything, odd_headers_arrive});
  to.push_back({"headers that cannot be sent are refused", anything, headers_refused});
  to.push_back({"headers that cannot be sent are not stored", durable, headers_not_stored});
  to.push_back({"ids that differ stay apart, or are refused", durable, ids_stay_apart});
}

}  // namespace msgbus::testing::conformance
