#pragma once

// A monitor, what it watches, and clients of it.

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/monitor/monitor.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace msgbus_test {

constexpr auto generous = std::chrono::seconds(60);

inline msgbus::monitor_options quick() {
  msgbus::monitor_options options;
  options.interval = std::chrono::milliseconds(10);
  options.stalled_after = std::chrono::milliseconds(50);
  return options;
}

inline httplib::Client client_of(const msgbus::monitor& of) {
  httplib::Client made("127.0.0.1", of.port());
  made.set_read_timeout(generous);  // instead of five seconds
  return made;
}

inline nlohmann::json status_of(const msgbus::monitor& of) {
  auto client = client_of(of);
  const auto answer = client.Get("/status.json");
  REQUIRE(answer);
  REQUIRE(answer->status == 200);
  return nlohmann::json::parse(answer->body);
}

/// The first document of the stream for which this holds.
inline nlohmann::json wait_for(const msgbus::monitor& of,
                               const std::function<bool(const nlohmann::json&)>& holds) {
  auto client = client_of(of);
  std::string rest;
  nlohmann::json last;
  bool found = false;
  const auto until = std::chrono::steady_clock::now() + generous;
  (void)client.Get("/events", [&](const char* data, std::size_t size) {
    rest.append(data, size);
    for (std::size_t end = rest.find("\n\n"); end != std::string::npos; end = rest.find("\n\n")) {
      const std::string event = rest.substr(0, end);
      rest.erase(0, end + 2);
      if (!event.starts_with("data: ")) continue;
      last = nlohmann::json::parse(event.substr(6));
      found = holds(last);
      if (found) return false;
    }
    return std::chrono::steady_clock::now() < until;
  });
  if (!found) FAIL("it never came, at last: " << last.dump(1));
  return last;
}

/// What handlers wait for. It is let go at the end of its test at the latest, also after a failure:
/// the threads of its handlers could not be joined.
class hold {
 public:
  hold() = default;
  hold(const hold&) = delete;
  hold& operator=(const hold&) = delete;
  ~hold() { let_go(); }

  void let_go() {
    state_->test_and_set();
    state_->notify_all();
  }
  /// For a handler, which keeps what it waits for.
  [[nodiscard]] auto waiting() const {
    return [state = state_] { state->wait(false); };
  }

 private:
  std::shared_ptr<std::atomic_flag> state_ = std::make_shared<std::atomic_flag>();
};

/// Components that one thread runs.
struct monitor_scene {
  asio::thread_pool pool{1};
  msgbus::async::host all{pool};
  msgbus::async::consumer orders{pool.get_executor()};

  monitor_scene() { all.add("orders", orders); }
  ~monitor_scene() { pool.join(); }
};

/// One stream, from its begin to its end, before all other requests: cpp-httplib makes static
/// variables with its first ones, and their guards are in a library that ThreadSanitizer does not
/// see into.
inline const bool has_streamed_once = [] {
  asio::io_context context;
  msgbus::async::host all(context);
  std::optional<msgbus::monitor> page(std::in_place, all, quick());
  auto client = client_of(*page);
  std::latch begun(1);
  std::thread reading([&] {
    bool is_first = true;
    const auto note = [&] {
      if (std::exchange(is_first, false)) begun.count_down();
      return true;
    };
    (void)client.Get("/events", [&](const char*, std::size_t) { return note(); });
    note();
  });
  begun.wait();
  page.reset();
  reading.join();
  return true;
}();

}  // namespace msgbus_test
