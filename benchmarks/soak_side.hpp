#pragma once

/// One of the two sides of a soak: a bridge in a context of its own, that sends to the other side
/// and receives from it, durably and live, until it is stopped.

#include "over_nats.hpp"
#include "soak_ledger.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace bench {

class soak_side {
 public:
  /// Returns when it is connected and its links are there.
  soak_side(const std::string& url, std::string name, std::string other, soak_direction& out,
            soak_direction& in);
  ~soak_side();
  soak_side(const soak_side&) = delete;

  void start();
  /// It sends nothing more, and still receives.
  void stop() noexcept { stopping_ = true; }
  /// Whether everything has ended that it had begun to send.
  [[nodiscard]] bool is_idle() const noexcept { return running_ == 0; }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }
  /// Of live messages, because they were not taken in time.
  [[nodiscard]] std::uint64_t dropped() const { return live_in_.stats().dropped; }
  /// Deliveries of the stream that were given to the handler.
  [[nodiscard]] std::uint64_t deliveries() const { return durable_in_.stats().admitted; }

 private:
  asio::awaitable<void> join(std::string url);
  asio::awaitable<void> store_on_end();
  asio::awaitable<void> store_one(std::uint64_t number);
  asio::awaitable<void> send_on_end();
  void take_stored(const blob& message, const msgbus::context& about);
  void take_live(const blob& message);
  [[nodiscard]] std::string topic(const std::string& of, const char* kind) const {
    return "soak." + of + '.' + kind;
  }
  template <class Loop>
  void spawn(Loop loop);

  const std::string name_, other_;
  soak_direction& sending_;
  soak_direction& receiving_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> running_{0};
  std::atomic<std::uint64_t> failures_{0};
  roaming_context there_;
  msgbus::async::publisher from_;
  msgbus::async::subscriber to_{there_.executor()};
  std::optional<msgbus::bridge> bridge_;
  msgbus::bridge_link durable_in_, live_in_;
};

}  // namespace bench
