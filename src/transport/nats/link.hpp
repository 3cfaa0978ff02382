#pragma once

/// One connection of nats.c.

#include <msgbus/core/error.hpp>
#include <msgbus/transport/envelope.hpp>
#include <msgbus/transport/nats.hpp>

#include <nats/nats.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace msgbus::nats {

/// Which of a transport's two connections (transport.cpp says what each is for).
enum class role { bulk, prompt };

/// Is told what happens to a connection, by nats.c's own threads, one call at a time.
class link_listener {
 public:
  virtual ~link_listener() = default;
  virtual void lost(role which, std::string text) = 0;
  virtual void back(role which, std::string text) = 0;
  virtual void ended(role which, std::string text) = 0;  ///< it does not come back
  virtual void slow(std::string subject) = 0;
  virtual void failed(std::string text) = 0;
};

/// A connection; it stays allocated as long as somebody holds it, and is unusable once it is
/// closed. Thread-safe.
class link {
 public:
  /// Blocks. Throws as `nats::open` promises.
  static std::shared_ptr<link> connect(const options& how, role which,
                                       std::weak_ptr<link_listener> listener);
  ~link();
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  /// Throws.
  void publish(const envelope& message, const std::string& reply_to);
  /// False if it is closed. While it is away, it is sent later.
  bool send(const std::string& subject, const std::string& reply_to,
            std::string_view text) noexcept;

  /// Sends all, and ends. Blocks for so long at most, if the server does not answer.
  void close(std::int64_t flush_milliseconds) noexcept;

  /// Lives as long as this.
  void keep(std::shared_ptr<void> what);

  [[nodiscard]] bool is_away() const noexcept;
  [[nodiscard]] natsConnection* get() const noexcept { return connection_; }
  [[nodiscard]] const std::string& server() const noexcept { return shown_; }

  /// The error of a status, where `closed` that we did not ask for is `disconnected`.
  [[nodiscard]] error failed(natsStatus status, const std::string& what) const;

 private:
  class callbacks;
  natsStatus publish(const char* subject, const std::string& reply_to,
                     std::string_view payload) noexcept;
  explicit link(role which, std::string shown_url) : role_(which), shown_(std::move(shown_url)) {}

  const role role_;
  const std::string shown_;
  natsConnection* connection_ = nullptr;
  std::weak_ptr<link_listener> listener_;
  std::uintptr_t number_ = 0;  // what nats.c knows it by
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<void>> kept_;  // under the mutex
};

}  // namespace msgbus::nats
