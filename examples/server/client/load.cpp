#include "client/load.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace load {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// What a customer knows of the account: nobody else touches it.
struct customer {
  names known;
  std::int64_t balance = 0;
  std::size_t open_orders = 0;
};

std::int64_t value_of(const json& order) {
  return order.at("quantity").get<std::int64_t>() * order.at("price").get<std::int64_t>();
}

bool is_tolerated(const run& all, const std::string& outcome) {
  return outcome == "shutting_down" || (all.through_faults && outcome == "unavailable");
}

// Throws a sentence if the answer is not the one that belongs to the step. False if nobody knows
// what became of the command, so that the session cannot go on.
bool check(const step& sent, std::int64_t id, const json& answer, customer& buyer, run& all) {
  tally& sum = all.tally;
  const auto wrong = [&](const std::string& why) {
    return std::runtime_error(why + ": " + sent.text + " was answered by " + answer.dump());
  };
  if (sent.has_id() ? answer.value("id", std::int64_t{0}) != id : answer.contains("id")) {
    throw wrong("an answer has another id");
  }
  const bool ok = answer.at("ok").get<bool>();
  const std::string outcome = ok ? "ok" : answer.at("error").at("code").get<std::string>();
  ++sum.outcomes[outcome];
  if (is_tolerated(all, outcome)) return false;
  if (outcome != sent.expect) throw wrong("the outcome should be " + sent.expect);
  if (!ok) return true;

  const json& result = answer.at("result");
  sum.add(sent.command, result, sent.amount);
  if (sent.command == "deposit") buyer.balance += sent.amount;
  if (sent.command == "withdraw") buyer.balance -= sent.amount;
  if (sent.command == "place_order") {
    buyer.balance -= value_of(result);
    ++buyer.open_orders;
  }
  if (sent.command == "cancel_order") {
    buyer.balance += value_of(result);
    --buyer.open_orders;
  }
  if (result.contains("balance") && result.at("balance").get<std::int64_t>() != buyer.balance) {
    throw wrong("the balance should be " + std::to_string(buyer.balance));
  }
  if (sent.command == "list_orders" &&
      result.size() != std::min<std::size_t>(buyer.open_orders, 100)) {
    throw wrong("there should be " + std::to_string(buyer.open_orders) + " open orders");
  }
  if (!sent.as.empty()) {
    const char* const number = sent.command == "open_account" ? "account" : "order";
    buyer.known[sent.as] = result.at(number).get<std::int64_t>();
  }
  return true;
}

// False if the server is gone.
asio::awaitable<bool> play_session(run& all, link& server, const std::vector<step>& steps,
                                   std::int64_t& last_id) {
  customer buyer;
  for (const step& next : steps) {
    if (all.over) co_return true;
    const std::int64_t id = ++last_id;
    std::string line = next.line(id, buyer.known);
    const clock::time_point begin = clock::now();
    ++all.tally.sent;
    const bool sent = co_await server.send(std::move(line));
    std::optional<std::string> answer;
    if (sent) answer = co_await server.receive();
    if (!answer) co_return false;
    const clock::duration took = clock::now() - begin;
    ++all.tally.answered;
    all.tally.second.add(took);
    all.tally.whole.add(took);
    const json read = json::parse(*answer);
    if (!check(next, id, read, buyer, all)) co_return true;
  }
  co_return true;
}

}  // namespace

asio::awaitable<json> ask(link& server, std::string line) {
  co_await server.send(line + '\n');
  const std::optional<std::string> answer = co_await server.receive();
  if (!answer) throw std::runtime_error("the server has closed the connection");
  const json read = json::parse(*answer);
  if (!read.at("ok").get<bool>()) throw std::runtime_error(line + " was answered by " + *answer);
  json result = read.at("result");
  co_return result;
}

asio::awaitable<void> play(run& all, std::size_t index) {
  link server(co_await asio::this_coro::executor);
  co_await server.open(all.server);
  std::int64_t last_id = 0;
  bool there = true;
  for (std::size_t session = index; there && !all.over;
       session = (session + all.connections) % all.traffic.size()) {
    there = co_await play_session(all, server, all.traffic[session], last_id);
  }
  if (!there) {
    if (!all.through_shutdown) all.fail("the server closed a player's connection");
    co_return;
  }
  server.end_sending();
  const std::optional<std::string> more = co_await server.receive();
  if (more) all.fail("a connection got more answers than it sent commands: " + *more);
}

namespace {

struct sending {
  explicit sending(asio::any_io_executor executor)
      : ended(std::move(executor), asio::steady_timer::time_point::max()) {}
  asio::steady_timer ended;
  bool running = true;
};

// As fast as the server takes it.
asio::awaitable<void> send_flood(run& all, link& server, std::int64_t account, std::int64_t first,
                                 std::int64_t count) {
  for (std::int64_t sent = 0; sent < count;) {
    std::string batch;
    for (int each = 0; each < 250; ++each, ++sent) {
      batch += "{\"id\":" + std::to_string(first + sent) +
               ",\"do\":\"deposit\",\"account\":" + std::to_string(account) + ",\"amount\":1}\n";
    }
    all.tally.sent += 250;
    const clock::time_point begin = clock::now();
    const bool taken = co_await server.send(std::move(batch));
    all.longest_hold = std::max(all.longest_hold, clock::now() - begin);
    if (!taken) co_return;
  }
}

}  // namespace

asio::awaitable<void> flood(run& all) {
  constexpr std::int64_t commands = 10'000;
  const auto executor = co_await asio::this_coro::executor;
  link server(executor);
  co_await server.open(all.server, 8 * 1024);
  ++all.tally.sent;
  const json opened =
      co_await ask(server, "{\"id\":1,\"do\":\"open_account\",\"owner\":\"Flooder\"}");
  ++all.tally.answered;
  all.tally.add("open_account", opened, 0);
  const auto account = opened.at("account").get<std::int64_t>();

  bool there = true;
  std::int64_t first = 2;
  do {  // once at least, however long the opening took
    sending state(executor);
    asio::co_spawn(executor, send_flood(all, server, account, first, commands),
                   [&state](const std::exception_ptr&) {
                     state.running = false;
                     state.ended.cancel();
                   });
    co_await pause(1500ms);  // not a single answer is read meanwhile
    for (std::int64_t id = first; there && id < first + commands; ++id) {
      const std::optional<std::string> line = co_await server.receive();
      there = line.has_value();
      if (!there) break;
      ++all.tally.answered;
      const json answer = json::parse(*line);
      if (answer.value("id", std::int64_t{0}) != id) {
        all.fail("the flooder's answers are not in order: " + *line);
      }
      const bool ok = answer.at("ok").get<bool>();
      ++all.tally.outcomes[ok ? "ok" : answer.at("error").at("code").get<std::string>()];
      if (ok) {
        all.tally.add("deposit", answer.at("result"), 1);
      } else if (!all.through_shutdown) {
        all.fail("the flooder was refused: " + *line);
      }
    }
    if (there) ++all.floods;
    if (!there) server.reset();
    std::error_code ignored;
    while (state.running) {
      co_await state.ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    first += commands;
  } while (there && !all.over);
  if (!there && !all.through_shutdown) all.fail("the server closed the flooder's connection");
}

namespace {

struct seen {
  std::string_view topic;
  std::uint64_t number = 0;
};

// What a notice begins with, `{"topic":"orders.ACME.placed","n":12,`: most lines by far are
// notices, and to parse all of them would cost more than all the rest.
std::optional<seen> seen_in(std::string_view line) {
  constexpr std::string_view begin = R"({"topic":")", middle = R"(","n":)";
  if (!line.starts_with(begin)) return std::nullopt;
  seen found;
  found.topic = line.substr(begin.size(), line.find(middle) - begin.size());
  line.remove_prefix(std::min(begin.size() + found.topic.size() + middle.size(), line.size()));
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), found.number);
  if (error != std::errc() || end == line.data() + line.size()) return std::nullopt;
  return found;
}

// False if there is nothing after the line.
bool take(run& all, followed& mine, std::string_view line, std::uint64_t count) {
  const std::optional<seen> notice = seen_in(line);
  if (notice && count % 64 != 0) {
    mine.take(all, notice->topic, notice->number, line);
    return true;
  }
  const json read = json::parse(line);
  if (read.contains("topic")) {
    mine.take(all, read["topic"].get_ref<const std::string&>(), read.at("n").get<std::uint64_t>(),
              line);
  } else if (read.contains("dropped")) {
    mine.told_dropped += read["dropped"].get<std::uint64_t>();
  } else {
    return false;  // the answer to `leave`
  }
  return true;
}

}  // namespace

void followed::take(run& all, std::string_view topic, std::uint64_t number, std::string_view line) {
  ++received;
  if (number <= last) {
    all.fail("a follower got a notice twice or out of order: " + std::string(line));
  }
  if (!topic.starts_with(prefix)) {
    all.fail("a follower of " + pattern + " got a notice of another topic: " + std::string(line));
  }
  last = number;
}

asio::awaitable<void> follow(run& all, followed& mine) {
  link server(co_await asio::this_coro::executor);
  co_await server.open(all.server, mine.slow ? 8 * 1024 : 0);
  const std::string subscribe =
      "{\"id\":1,\"do\":\"SUBSCRIBE\",\"pattern\":\"" + mine.pattern + "\"}";
  co_await ask(server, subscribe);
  mine.connection = &server;
  all.count(all.following, 1);

  bool following = true;
  for (std::uint64_t lines = 0; following;) {
    if (const auto line = server.next_line()) {
      following = take(all, mine, *line, lines++);
    } else if (!co_await server.arrive()) {
      if (!all.through_shutdown) all.fail("the server closed a follower's connection");
      break;
    }
    if (mine.slow && !all.all_is_published && lines % 50 == 49) co_await pause(100ms);
  }
  mine.connection = nullptr;
  all.count(all.following, -1);
}

asio::awaitable<void> keep_open(followed& follower) {
  if (!follower.connection) co_return;
  std::string empty = "\n";
  co_await follower.connection->send(std::move(empty));
}

asio::awaitable<void> leave(followed& follower) {
  if (!follower.connection) co_return;
  const std::string text =
      "{\"id\":2,\"do\":\"unsubscribe\",\"pattern\":\"" + follower.pattern + "\"}\n";
  co_await follower.connection->send(text);
}

namespace {

asio::awaitable<void> too_long_a_line(run& all) {
  link server(co_await asio::this_coro::executor);
  co_await server.open(all.server);
  std::string line = "{\"id\":5,\"do\":\"" + std::string(100'000, 'x');
  co_await server.send(std::move(line));
  const std::optional<std::string> answer = co_await server.receive();
  if (!answer || json::parse(*answer).at("error").at("code") != "too_long") {
    all.fail("a line that is too long was not refused, but answered by " +
             answer.value_or("the end of the connection"));
  }
  const std::optional<std::string> more = co_await server.receive();
  if (more) all.fail("after a line that is too long the connection was not closed");
}

asio::awaitable<void> half_closed(run& all) {
  link server(co_await asio::this_coro::executor);
  co_await server.open(all.server);
  const std::string line = "{\"id\":6,\"do\":\"summary\"}";
  std::string three = line + "\r\n" + line + "\n\n" + line;  // the last one without an end
  co_await server.send(std::move(three));
  server.end_sending();
  int answers = 0;
  for (;;) {
    const std::optional<std::string> answer = co_await server.receive();
    if (!answer) break;
    ++answers;
  }
  if (answers != 3)
    all.fail("a half closed connection got " + std::to_string(answers) + " of 3 answers");
}

asio::awaitable<void> broken_off(run& all) {
  link server(co_await asio::this_coro::executor);
  co_await server.open(all.server);
  co_await server.send(
      "{\"id\":7,\"do\":\"subscribe\",\"pattern\":\">\"}\n{\"id\":8,\"do\":\"list_sym");
  server.reset();
}

asio::awaitable<void> byte_by_byte(run& all) {
  link server(co_await asio::this_coro::executor);
  co_await server.open(all.server);
  const std::string line = "{\"id\":9,\"do\":\"list_symbols\"}\n";
  for (const char each : line) {
    std::string byte(1, each);
    co_await server.send(std::move(byte));
    co_await pause(1ms);
  }
  const std::optional<std::string> answer = co_await server.receive();
  if (!answer || !json::parse(*answer).at("ok").get<bool>()) {
    all.fail("a request that came byte by byte was not carried out, but answered by " +
             answer.value_or("the end of the connection"));
  }
}

}  // namespace

asio::awaitable<void> come_and_go(run& all) {
  while (!all.over) {
    co_await too_long_a_line(all);
    co_await half_closed(all);
    co_await broken_off(all);
    co_await byte_by_byte(all);
    all.strangers += 4;
    co_await pause(50ms);
  }
}

}  // namespace load
