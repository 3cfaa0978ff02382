#pragma once

/// What the workloads of durable messages share: a file on the program's disk, and coroutines whose
/// transactions send messages.

#include <msgbus/durable.hpp>

#include "awaiting.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>

namespace bench {

/// A message of 128 bytes, which its codec copies.
struct stored_order {
  std::array<char, 128> bytes{};

  stored_order() = default;
  explicit stored_order(std::uint64_t number) noexcept {
    std::memcpy(bytes.data(), &number, sizeof number);
  }
};

}  // namespace bench

template <>
struct msgbus::codec<bench::stored_order> {
  static payload encode(const bench::stored_order& from, encoding = encoding::json) {
    return {std::string(from.bytes.data(), from.bytes.size()), "application/octet-stream"};
  }
  static bench::stored_order decode(std::string_view bytes, std::string_view) {
    bench::stored_order made;
    if (bytes.size() != made.bytes.size()) std::abort();
    std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
    return made;
  }
};

namespace bench {

using msgbus::durable::transaction;
using std::chrono::steady_clock;

/// Transactions under way.
inline constexpr unsigned at_a_time = 256;

/// A folder beside the program, on whatever disk that is: `/tmp` may be memory.
class scratch_folder {
 public:
  scratch_folder() {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
    std::string name = (self.parent_path() / "durable-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  [[nodiscard]] std::string file(const char* name = "shop.db") const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

enum class until {
  committed,  // nothing is delivered: the messages stay in the file
  handled
};

/// A file, whose routes run on the thread that sends.
struct shop {
  scratch_folder folder;
  asio::io_context here{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{here.get_executor()};
  msgbus::async::consumer billing{here.get_executor()};
  std::shared_ptr<msgbus::durable::database> db;
  std::uint64_t committed = 0;
  std::uint64_t handled = 0;
  std::uint64_t goal = 0;
  std::shared_ptr<histogram> each = std::make_shared<histogram>();
  steady_clock::time_point begun;

  explicit shop(until which = until::handled) {
    billing.handler([this](const stored_order&) {
      ++handled;
      clobber();
    });
    run(open_file());
    db->route<stored_order>("billing", billing);
    if (which == until::committed) run(drain());
  }
  ~shop() {
    run(drain());
    db.reset();
  }
  asio::awaitable<void> open_file() {
    msgbus::durable::open_options options;
    options.file = folder.file();
    auto opening = msgbus::durable::open(here.get_executor(), std::move(options));
    db = co_await std::move(opening);
  }
  asio::awaitable<void> drain() {
    auto draining = db->drain(std::chrono::seconds(30));
    if (!co_await std::move(draining)) std::abort();
  }
  /// Runs it to its end. The work of the file goes on with the context.
  void run(asio::awaitable<void> what) {
    bool done = false;
    asio::co_spawn(here, std::move(what), [&done](std::exception_ptr failure) {
      must_succeed(failure);
      done = true;
    });
    while (!done) here.run_one();
  }

  asio::awaitable<void> one(std::uint64_t number) {
    auto work_of_one = [number](transaction& t) -> asio::awaitable<void> {
      t.dispatch(stored_order(number));
      co_return;
    };
    auto running = db->transaction(work_of_one);
    co_await std::move(running);
    ++committed;
  }
  asio::awaitable<void> some_of(std::uint64_t& next, std::uint64_t messages) {
    while (next < messages) {
      auto running = one(next++);
      co_await std::move(running);
    }
  }
  void send(std::uint64_t messages, unsigned coroutines, until which) {
    goal += messages;
    std::uint64_t next = 0;
    for (unsigned i = 0; i < coroutines; ++i) {
      asio::co_spawn(here, some_of(next, messages), must_succeed);
    }
    while (committed < goal) here.run_one();
    while (which == until::handled && handled < goal) here.run_one();
  }
  /// One after the other, each of them timed.
  void send_timed(std::uint64_t messages, until which) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      begun = steady_clock::now();
      if (which == until::committed) {
        run(one(i));  // it is delivered, and nobody waits for that
        ++goal;
      } else {
        send(1, 1, until::handled);
      }
      const auto took = steady_clock::now() - begun;
      each->add(static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
      while (handled < goal) here.run_one();
    }
  }
};

}  // namespace bench
