#include "gateway.hpp"

#include <algorithm>
#include <cctype>
#include <exception>
#include <sstream>
#include <type_traits>
#include <utility>

#include "json_text.hpp"
#include "request.hpp"

namespace exchange {
namespace {

template <class T>
T member(const request& asked, const char* name) {
  if constexpr (std::is_same_v<T, std::string>) {
    return asked.text(name);
  } else {
    return asked.number(name);
  }
}

// --- Answers. ------------------------------------------------------------------------------------

std::string begin_answer(std::string_view id, bool ok) {
  std::string answer;
  answer.reserve(256);
  answer += '{';
  if (!id.empty()) {
    answer += "\"id\":";
    answer += id;
    answer += ',';
  }
  answer += ok ? "\"ok\":true,\"result\":" : "\"ok\":false,\"error\":";
  return answer;
}

std::string failed_with(std::string_view id, std::string_view code, std::string_view text) {
  std::string answer = begin_answer(id, false);
  {
    object_text error(answer);
    error.add("code", code);
    error.add("text", text);
  }
  return answer += "}\n";
}

template <class R, class... Args>
asio::awaitable<void> call(business& to, asio::awaitable<R> (business::*operation)(Args...),
                           std::string& result, Args... args) {
  auto running = (to.*operation)(std::move(args)...);
  const R got = co_await std::move(running);
  write(result, got);
}

asio::awaitable<void> ready() { co_return; }

asio::awaitable<void> tell_stats(business& of, std::string& result) {
  result += co_await of.stats();
}

}  // namespace

// --- The commands. -------------------------------------------------------------------------------

gateway::gateway(business& carried_out_by) : business_(carried_out_by) {
  forward("open_account", &business::open_account, "owner");
  forward("deposit", &business::deposit, "account", "amount");
  forward("withdraw", &business::withdraw, "account", "amount");
  forward("place_order", &business::place_order, "account", "symbol", "quantity", "price");
  forward("cancel_order", &business::cancel_order, "order");
  forward("books", &business::books);

  forward("get_account", &business::get_account, "account");
  forward("list_orders", &business::list_orders, "account");
  forward("list_symbols", &business::list_symbols);
  forward("summary", &business::summary);

  add("subscribe", R"({"id":1,"do":"subscribe","pattern":"orders.>"})",
      [](const request& asked, connection& from, std::string& result) {
        const std::string& pattern = asked.text("pattern");
        from.follow(pattern);
        object_text(result).add("following", pattern);
        return ready();
      });
  add("unsubscribe", R"({"id":1,"do":"unsubscribe","pattern":"orders.>"})",
      [](const request& asked, connection& from, std::string& result) {
        const std::string& pattern = asked.text("pattern");
        const connection::totals totals = from.unfollow(pattern);
        object_text object(result);
        object.add("followed", pattern);
        object.add("notices", totals.notices);
        object.add("dropped", totals.dropped);
        return ready();
      });
  add("stats", R"({"id":1,"do":"stats"})",
      [this](const request&, connection&, std::string& result) {
        return tell_stats(business_, result);
      });
  add("help", R"({"id":1,"do":"help"})", [this](const request&, connection&, std::string& result) {
    list_usages(result);
    return ready();
  });
}

template <class R, class... Args, class... Names>
void gateway::forward(const std::string& name, asio::awaitable<R> (business::*operation)(Args...),
                      Names... members) {
  static_assert(sizeof...(Args) == sizeof...(Names), "one member for each argument");
  std::string usage = R"({"id":1,"do":")" + name + '"';
  ((usage +=
    std::string(",\"") + members + (std::is_same_v<Args, std::string> ? "\":\"...\"" : "\":1")),
   ...);
  add(name, usage + '}',
      [this, operation, members...](const request& asked, connection&, std::string& result) {
        return call<R, Args...>(business_, operation, result, member<Args>(asked, members)...);
      });
}

void gateway::add(std::string name, std::string usage, run function) {
  commands_.emplace(std::move(name), entry{std::move(usage), std::move(function)});
}

asio::awaitable<std::string> gateway::answer(std::string_view line, connection& from) const {
  if (line == "help") co_return help();
  std::string answer;
  std::string id;
  bool is_read = false;
  try {
    const request asked(line);
    id = asked.id();
    is_read = true;
    answer = begin_answer(id, true);
    auto running = find(asked).function(asked, from, answer);
    co_await std::move(running);
    answer += "}\n";
  } catch (...) {
    answer = failure(is_read ? id : request::scraped_id(line), std::current_exception());
  }
  co_return answer;
}

const gateway::entry& gateway::find(const request& asked) const {
  std::string name = asked.text("do");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = commands_.find(name);
  if (found == commands_.end()) {
    throw refusal("unknown_command", "there is no command '" + shortened(name) +
                                         "'; the line 'help' lists all commands");
  }
  return found->second;
}

std::string gateway::failure(std::string_view id, const std::exception_ptr& why) const {
  try {
    std::rethrow_exception(why);
  } catch (const refusal& error) {
    return failed_with(id, error.code(), error.text());
  } catch (const std::exception& error) {
    const std::optional<refusal> explained = business_.explain(why);
    if (explained) return failed_with(id, explained->code(), explained->text());
    return failed_with(id, "internal", error.what());
  } catch (...) {
    return failed_with(id, "internal", "something was thrown that is no std::exception");
  }
}

std::string gateway::too_long(std::size_t limit, std::string_view begin) {
  return failed_with(
      request::scraped_id(begin.substr(0, 256)), "too_long",
      "the line is longer than " + std::to_string(limit) + " bytes; the connection is closed");
}

std::string gateway::idle(std::chrono::milliseconds limit) {
  std::ostringstream seconds;
  seconds << std::chrono::duration<double>(limit).count();
  return failed_with(
      {}, "idle", "no whole line has come for " + seconds.str() + " s; the connection is closed");
}

std::string gateway::no_room(int limit) {
  return failed_with(
      {}, "busy",
      "the server has " + std::to_string(limit) + " connections already; the connection is closed");
}

void gateway::list_usages(std::string& result) const {
  char before = '[';
  for (const auto& [name, each] : commands_) {
    result += std::exchange(before, ',');
    write(result, each.usage);
  }
  result += ']';
}

std::string gateway::help() const {
  std::string text = "Each line is a request, and is answered with one line:\n";
  for (const auto& [name, each] : commands_) text += "  " + each.usage + '\n';
  text +=
      "Amounts and prices are in cents. The answer has the id of its request, which is a number\n"
      "or a string. A connection must send a whole line now and then, if only an empty one.\n"
      "Topics: accounts.opened|deposited|withdrawn, orders.SYMBOL.placed|cancelled;\n"
      "in a pattern * is any word, and > at the end one word or more.\n";
  return text;
}

}  // namespace exchange
