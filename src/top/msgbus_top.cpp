// The program msgbus-top: the components of a program with a monitor, in a terminal.

#include "top/address.hpp"
#include "top/client.hpp"
#include "top/screen.hpp"
#include "top/table.hpp"

#include <msgbus/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

namespace top = msgbus::top;

struct request {
  std::string address;
  std::string token;
  std::string filter;
  std::string sort = "trouble";
  double period = 1;
  bool once = false;
};

std::vector<std::string> sort_names() {
  std::vector<std::string> names;
  for (const auto& each : top::columns()) names.emplace_back(each.name);
  return names;
}

top::order order_of(const std::string& name) {
  for (const auto& each : top::columns()) {
    if (each.name != name) continue;
    top::order by{.by = each.which};
    if (each.which != top::column::trouble) {
      by.by = top::column::trouble;
      by.choose(each.which);
    }
    return by;
  }
  return {};
}

void print(const top::status& now, const request& asked) {
  std::cout << top::summary(now) << '\n';
  for (const std::string& each : now.stalled) std::cout << "! " << each << '\n';
  for (const std::string& each : now.warnings) std::cout << "! " << each << '\n';
  const top::order by = order_of(asked.sort);
  for (const auto& each : top::lines_of(top::arranged(now, by, asked.filter), by, 0)) {
    std::cout << each.text << '\n';
  }
  if (!std::cout.flush()) throw std::runtime_error("the output cannot be written");
}

std::string token_only_of_letters(const std::string& token) {
  const bool good = std::ranges::all_of(token, [](char each) { return each > ' ' && each < 127; });
  return good ? "" : "a token has neither spaces nor control characters";
}

}  // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  std::setlocale(LC_NUMERIC, "C");
  request asked;
  CLI::App app("The components of a program with a msgbus::monitor.", "msgbus-top");
  app.set_version_flag("--version", std::string(msgbus::version_string()));
  app.add_option("ADDRESS", asked.address, "of the monitor: http://127.0.0.1:8080, or 8080")
      ->required();
  app.add_option("--token", asked.token, "of the monitor; better in MSGBUS_TOKEN")
      ->envname("MSGBUS_TOKEN")
      ->check(token_only_of_letters);
  app.add_option("--filter", asked.filter, "only components with all of these words");
  app.add_option("--sort", asked.sort, "the column")
      ->check(CLI::IsMember(sort_names()))
      ->capture_default_str();
  app.add_option("--period", asked.period, "seconds between two readings")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_flag("--once", asked.once, "prints one reading as text; so does a pipe");
  CLI11_PARSE(app, argc, argv);

  std::string url = asked.address;
  try {
    const top::address from = top::read_address(asked.address);
    url = from.url();
    const top::status first = top::read_once(from, asked.token);  // or says why not, and ends
    if (asked.once || ::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0) {
      print(first, asked);
    } else {
      const std::chrono::milliseconds period(static_cast<long>(asked.period * 1000));
      const top::client reader(from, asked.token, period);
      top::run_screen(reader, url, order_of(asked.sort), asked.filter);
    }
  } catch (const std::invalid_argument& e) {
    std::cerr << "msgbus-top: " << e.what() << '\n';
    return EXIT_FAILURE;
  } catch (const std::exception& e) {
    std::cerr << "msgbus-top: " << url << ": " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
