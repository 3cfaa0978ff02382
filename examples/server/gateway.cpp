#include "gateway.hpp"

#include <algorithm>
#include <cctype>
#include <exception>
#include <limits>
#include <memory>
#include <sstream>
#include <type_traits>
#include <utility>

#include "json.hpp"

namespace exchange {
namespace {

// --- Members of a request. -----------------------------------------------------------------------

template <class T>
constexpr const char* kind_of =
    std::is_same_v<T, std::string> ? "a string" : "a whole number of at most 64 bits";

template <class T>
bool holds(const json& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return value.is_string();
  } else {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() ||
            value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<T>::max()});
  }
}

// Of a text that may be long, its beginning.
std::string shortened(const std::string& text) {
  constexpr std::size_t most = 60;
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

// A value as a sentence names it.
std::string described(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  const std::string text = shortened(value.dump(-1, ' ', false, json::error_handler_t::replace));
  if (value.is_string()) return "the string " + text;
  return value.is_number() ? "the number " + text : text;
}

template <class T>
T member(const json& request, const char* name) {
  const auto found = request.find(name);
  if (found == request.end()) {
    throw refusal("bad_request",
                  std::string("the request has no '") + name + "', which must be " + kind_of<T>);
  }
  if (!holds<T>(*found)) {
    throw refusal("bad_request", std::string("'") + name + "' must be " + kind_of<T> + ", not " +
                                     described(*found));
  }
  return found->get<T>();
}

json id_of(const json& request) {
  if (!request.is_object()) return nullptr;
  const auto found = request.find("id");
  const bool simple = found != request.end() && (found->is_number_integer() || found->is_string());
  return simple ? *found : json(nullptr);
}

// Also of a line that is not JSON: what a client needs to know which of its requests that was.
json scraped_id(std::string_view line) {
  std::size_t at = line.find("\"id\"");
  if (at == std::string_view::npos) return nullptr;
  at = line.find_first_not_of(" \t:", at + 4);
  if (at == std::string_view::npos) return nullptr;
  std::size_t end = at;
  if (line[at] == '"') {
    end = line.find('"', at + 1);
    if (end == std::string_view::npos) return nullptr;
    ++end;
  } else {
    while (end < line.size() && std::isdigit(static_cast<unsigned char>(line[end])) != 0) ++end;
  }
  json id = json::parse(line.substr(at, end - at), nullptr, false);
  return id.is_discarded() ? json(nullptr) : id;
}

// --- Answers. ------------------------------------------------------------------------------------

struct problem {
  std::string code;
  std::string text;
};

// Only where what carries commands out is another process.
bool is_away(const std::error_code& code) {
  return code == msgbus::errc::timed_out || code == msgbus::errc::no_handler ||
         code == msgbus::errc::disconnected;
}

problem describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const refusal& error) {
    return {std::string(error.code()), std::string(error.text())};
  } catch (const msgbus::error& error) {
    if (error.code() == msgbus::errc::closed) return {"shutting_down", "the server is stopping"};
    if (error.code() == msgbus::errc::full) return {"busy", error.what()};
    if (error.code() == msgbus::errc::invalid_topic) return {"bad_request", error.what()};
    if (is_away(error.code())) return {"unavailable", error.what()};
    return {"internal", error.what()};
  } catch (const std::exception& error) {
    return {"internal", error.what()};
  } catch (...) {
    return {"internal", "something was thrown that is no std::exception"};
  }
}

json failure(const json& id, const problem& what) {
  json answer;
  if (!id.is_null()) answer["id"] = id;
  answer["ok"] = false;
  answer["error"]["code"] = what.code;
  answer["error"]["text"] = what.text;
  return answer;
}

json success(const json& id, json result) {
  json answer;
  if (!id.is_null()) answer["id"] = id;
  answer["ok"] = true;
  answer["result"] = std::move(result);
  return answer;
}

json parse(const std::string& line) {
  try {
    return json::parse(line);
  } catch (const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: ..."
    const std::string_view text = error.what();
    const std::size_t begin = text.find("] ") == text.npos ? 0 : text.find("] ") + 2;
    throw refusal("malformed", "the line is not JSON: " + std::string(text.substr(begin, 200)));
  }
}

template <class R, class... Args>
asio::awaitable<json> call(msgbus::async::service& to, std::string name, Args... args) {
  R result = co_await to.execute<R>(name, std::move(args)...);
  json written = result;
  co_return written;
}

asio::awaitable<json> ready(json value) { co_return value; }

}  // namespace

// --- The commands. -------------------------------------------------------------------------------

gateway::gateway(msgbus::async::service& commands, msgbus::async::service& queries,
                 std::function<asio::awaitable<json>()> stats) {
  forward<account, std::string>("open_account", commands, "owner");
  forward<account, number, money>("deposit", commands, "account", "amount");
  forward<account, number, money>("withdraw", commands, "account", "amount");
  forward<order, number, std::string, std::int64_t, money>("place_order", commands, "account",
                                                           "symbol", "quantity", "price");
  forward<order, number>("cancel_order", commands, "order");
  forward<totals>("books", commands);

  forward<account, number>("get_account", queries, "account");
  forward<std::vector<order>, number>("list_orders", queries, "account");
  forward<std::vector<symbol_summary>>("list_symbols", queries);
  forward<totals>("summary", queries);

  add("subscribe", R"({"id":1,"do":"subscribe","pattern":"orders.>"})",
      [](const json& request, connection& from) {
        return ready(from.follow(member<std::string>(request, "pattern")));
      });
  add("unsubscribe", R"({"id":1,"do":"unsubscribe","pattern":"orders.>"})",
      [](const json& request, connection& from) {
        return ready(from.unfollow(member<std::string>(request, "pattern")));
      });
  add("stats", R"({"id":1,"do":"stats"})",
      [stats = std::move(stats)](const json&, connection&) { return stats(); });
  add("help", R"({"id":1,"do":"help"})", [this](const json&, connection&) {
    json usages = json::array();
    for (const auto& [name, each] : commands_) usages.push_back(each.usage);
    return ready(std::move(usages));
  });
}

template <class R, class... Args, class... Names>
void gateway::forward(const std::string& name, msgbus::async::service& to, Names... members) {
  static_assert(sizeof...(Args) == sizeof...(Names), "one member for each argument");
  std::string usage = R"({"id":1,"do":")" + name + '"';
  ((usage +=
    std::string(",\"") + members + (std::is_same_v<Args, std::string> ? "\":\"...\"" : "\":1")),
   ...);
  add(name, usage + '}', [name, &to, members...](const json& request, connection&) {
    return call<R, Args...>(to, name, member<Args>(request, members)...);
  });
}

void gateway::add(std::string name, std::string usage, run function) {
  commands_.emplace(std::move(name), entry{std::move(usage), std::move(function)});
}

asio::awaitable<std::string> gateway::answer(std::string line, connection& from) const {
  if (line == "help") co_return help();
  json id;
  json answer;
  try {
    id = scraped_id(line);
    const json request = parse(line);
    id = id_of(request);
    if (!request.is_object()) {
      throw refusal("bad_request", "a request must be a JSON object, not " + described(request) +
                                       "; the line 'help' lists all requests");
    }
    json result = co_await carry_out(request, from);
    answer = success(id, std::move(result));
  } catch (...) {
    answer = failure(id, describe(std::current_exception()));
  }
  co_return to_line(answer);
}

asio::awaitable<json> gateway::carry_out(const json& request, connection& from) const {
  std::string name = member<std::string>(request, "do");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = commands_.find(name);
  if (found == commands_.end()) {
    throw refusal("unknown_command", "there is no command '" + shortened(name) +
                                         "'; the line 'help' lists all commands");
  }
  return found->second.function(request, from);
}

std::string gateway::too_long(std::size_t limit, std::string_view begin) {
  return to_line(failure(scraped_id(begin.substr(0, 256)),
                         {"too_long", "the line is longer than " + std::to_string(limit) +
                                          " bytes; the connection is closed"}));
}

std::string gateway::idle(std::chrono::milliseconds limit) {
  std::ostringstream seconds;
  seconds << std::chrono::duration<double>(limit).count();
  return to_line(failure(nullptr, {"idle", "no whole line has come for " + seconds.str() +
                                               " s; the connection is closed"}));
}

std::string gateway::no_room(int limit) {
  return to_line(failure(nullptr, {"busy", "the server has " + std::to_string(limit) +
                                               " connections already; the connection is closed"}));
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
