#pragma once

/// Reads the documents of a monitor over HTTP.

#include "top/address.hpp"
#include "top/status.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace msgbus::top {

/// Asks once.
///
/// Throws: `not_a_monitor` or `std::runtime_error`, with a sentence for the user.
[[nodiscard]] status read_once(const address& from, const std::string& token);

/// Asks once per period, on a thread of its own, and again after failures.
class client {
 public:
  client(address from, std::string token, std::chrono::milliseconds period);
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  struct result {
    std::optional<status> newest = {};
    std::string failure = {};  // of the last attempt; empty: it has succeeded
    std::chrono::steady_clock::time_point failing_since = {};
    std::uint64_t number = 0;  // of attempts that have ended
  };
  /// What is known now. Thread-safe.
  [[nodiscard]] result get() const;

 private:
  void run();
  void ask();

  const address from_;
  const std::string token_;
  const std::chrono::milliseconds period_;
  mutable std::mutex mutex_;
  std::condition_variable ending_;
  bool ends_ = false;
  result result_;
  std::thread thread_;  // uses all of the above
};

}  // namespace msgbus::top
