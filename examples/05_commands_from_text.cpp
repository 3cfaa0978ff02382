// A text protocol on standard input: each line is a command and its arguments, such as
//   update 1 Alice
// The protocol knows the service, but none of its operations: it calls them by name, and the
// service says what is wrong with a line. Try it: example_05_commands_from_text < data/commands.txt

#include <msgbus/sync.hpp>

#include <charconv>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bus = msgbus::sync;

// --- The service. --------------------------------------------------------------------------------

using database = std::map<int, std::string>;
inline constexpr msgbus::required<database&> get_database{"database"};

std::string update(int id, std::string name, msgbus::depends<get_database> users) {
  return "user " + std::to_string(id) + " is " + ((*users)[id] = std::move(name));
}

std::string find_user(int id, msgbus::depends<get_database> users) {
  const auto found = users->find(id);
  if (found == users->end()) throw std::runtime_error("there is no user " + std::to_string(id));
  return found->second;
}

std::string count_users(msgbus::depends<get_database> users) {
  return std::to_string(users->size()) + " users";
}

// --- The protocol. -------------------------------------------------------------------------------

// What is written as an integer is one, everything else is a text.
using word = std::variant<long long, std::string>;

word parse(const std::string& text) {
  long long number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  return text;
}

template <class... Words>
std::string call(bus::service& service, std::string_view name, const Words&... words) {
  return std::visit(
      [&](const auto&... arguments) { return service.execute<std::string>(name, arguments...); },
      words...);
}

std::string run(bus::service& service, const std::string& line) {
  std::istringstream in(line);
  std::string name;
  in >> name;
  std::vector<word> words;
  for (std::string text; in >> text;) words.push_back(parse(text));
  switch (words.size()) {
    case 0: return call(service, name);
    case 1: return call(service, name, words[0]);
    case 2: return call(service, name, words[0], words[1]);
    default: throw std::invalid_argument("a command has two arguments at most");
  }
}

int main() {
  database users;
  bus::service service;
  service.override(get_database, [&]() -> database& { return users; });
  service.handler<update>();
  service.handler<find_user>();    // find-user
  service.handler<count_users>();  // count-users

  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    try {
      std::cout << run(service, line) << '\n';
    } catch (const std::exception& error) {
      std::cout << "error: " << error.what() << '\n';
    }
  }
}
