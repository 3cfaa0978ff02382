// A program with a monitor, for the tests of its page: does what its standard input says, a word a
// line, and says "done".

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/monitor.hpp>

#include <asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct placed {
  int number = 0;
};
struct charge {
  int number = 0;
};

/// Keeps its handler until then.
struct hold {
  std::shared_future<void> until;
};

int run(std::uint16_t port) {
  asio::thread_pool fast(1);
  asio::thread_pool bank(1);
  std::promise<void> bank_answers;
  const hold held{bank_answers.get_future().share()};
  msgbus::async::host all(fast.get_executor());
  auto& orders = all.emplace<msgbus::async::consumer>("orders", fast.get_executor());
  auto& billing = all.emplace<msgbus::async::consumer>(
      "billing", bank.get_executor(), msgbus::async::mailbox_options{.capacity = 4});
  orders.handler([](const placed&) {});
  auto letters = std::make_shared<msgbus::async::dead_letters>();
  std::atomic<bool> fails = true;
  billing.handler(
      [&fails](const charge& event) {
        if (fails) throw std::runtime_error("no money for <b>" + std::to_string(event.number));
      },
      {.dead_letters = letters});
  billing.handler([](const hold& event) { event.until.wait(); });

  msgbus::monitor_options options;
  options.title = "till";
  options.port = port;
  options.allow_actions = true;
  options.interval = std::chrono::milliseconds(100);
  msgbus::monitor page(all, options);
  std::cout << page.url() << std::endl;

  for (std::string word; std::cin >> word;) {
    if (word == "burst") {
      for (int number = 0; number < 200; ++number) (void)orders.post<placed>(number);
    } else if (word == "fail") {
      (void)billing.post<charge>(7);
    } else if (word == "repair") {
      fails = false;
    } else if (word == "stick") {
      (void)billing.post<hold>(held);
    } else if (word == "release") {
      bank_answers.set_value();
    } else {
      return EXIT_FAILURE;
    }
    std::cout << "done" << std::endl;
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int, char** arguments) { return run(static_cast<std::uint16_t>(std::stoi(arguments[1]))); }
