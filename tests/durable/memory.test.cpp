// Many messages: neither the process nor the file grows with their number.

#include <msgbus/durable/database.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"

#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace memory_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::durable::transaction;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

/// What the process has, without what the heap has free.
std::uint64_t resident_kib() {
  ::malloc_trim(0);
  std::ifstream from("/proc/self/statm");
  std::uint64_t pages = 0;
  from >> pages >> pages;
  return pages * 4;
}

std::uint64_t kib_of(const std::string& file) {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(file, none);
  return none ? 0 : bytes / 1024;
}

struct busy_shop {
  loop in;
  temporary_folder folder;
  consumer billing{in.executor()};
  std::uint64_t handled = 0;
  std::uint64_t placed = 0;
  durable_ptr db = open(in, quick(folder.file()));

  busy_shop() {
    billing.handler([this](const order_placed&) { ++handled; });
    db->route<order_placed>("billing", billing);
  }
  awaitable<void> place_until(std::uint64_t goal) {
    while (placed < goal) {
      const int id = static_cast<int>(++placed % 1000);
      auto work = [id](transaction& t) -> awaitable<void> {
        t.dispatch(order_placed{id, "book"});
        co_return;
      };
      auto running = db->transaction(work);
      co_await std::move(running);
    }
  }
  /// Returns when so many have been handled since the beginning.
  void run_until(std::uint64_t goal) {
    constexpr int at_a_time = 64;
    std::vector<msgbus::testing::spawned<void>> running;
    for (int i = 0; i < at_a_time; ++i) running.push_back(in.start(place_until(goal)));
    while (handled < goal) {
      const std::uint64_t before = handled;
      in.run_until([&] { return handled > before; });
    }
    for (auto& each : running) {
      in.finish(each);
      each.get();
    }
  }
  [[nodiscard]] std::uint64_t size_of_file() const { return kib_of(folder.file()); }
  [[nodiscard]] std::uint64_t size_of_log() const { return kib_of(folder.file() + "-wal"); }
};

}  // namespace

TEST_CASE("neither memory nor the file grows with the number of messages", "[R2]") {
  const char* const more = std::getenv("MSGBUS_MEMORY_MESSAGES");
  const std::uint64_t messages = more ? std::strtoull(more, nullptr, 10) : 15'000;
  busy_shop all;
  all.run_until(messages / 3);
  const std::uint64_t memory = resident_kib();
  const std::uint64_t file = all.size_of_file();
  all.run_until(messages);
  // How many messages a commit has is up to the threads: with more it takes more to fill the log.
  for (std::uint64_t goal = messages; all.size_of_file() <= 16 && goal < 10 * messages;) {
    goal += messages / 3;
    all.run_until(goal);
  }
  const std::uint64_t memory_after = resident_kib();
  const std::uint64_t file_after = all.size_of_file();
  const std::uint64_t log_after = all.size_of_log();
  CHECK(all.in.run(all.db->drain(30s)));
  INFO("KiB of memory " << memory << " and " << memory_after << ", of the file " << file << " and "
                        << file_after << ", of the log " << log_after);
  CHECK(file_after < file + 4096);
  CHECK(log_after < 17 * 1024);  // a checkpoint begins when it has 16 MB
  CHECK(file_after > 16);        // and has copied rows into the file
#ifndef MSGBUS_TEST_SANITIZED
  CHECK(memory_after < memory + 4096);
#endif
  if (more) {
    std::printf("%llu messages: memory %llu and then %llu KiB, the file %llu and then %llu KiB\n",
                static_cast<unsigned long long>(messages), static_cast<unsigned long long>(memory),
                static_cast<unsigned long long>(memory_after),
                static_cast<unsigned long long>(file), static_cast<unsigned long long>(file_after));
  }
}

}  // namespace memory_test
