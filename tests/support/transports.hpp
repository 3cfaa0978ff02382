#pragma once

// Sinks and envelopes for tests of transports and bridges.

#include <msgbus/transport/transport.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace msgbus_test {

inline msgbus::envelope made(std::string topic, std::string payload = {}, std::string id = {}) {
  msgbus::envelope what;
  what.topic = std::move(topic);
  what.payload = std::move(payload);
  if (!id.empty()) what.headers.emplace(msgbus::header::message_id, std::move(id));
  return what;
}

/// Keeps the envelopes.
class kept_envelopes : public msgbus::transport::sink {
 public:
  bool take(msgbus::envelope&& message, bool /*may_wait*/) noexcept override {
    const std::lock_guard lock(mutex_);
    if (refuses) return false;
    all_.push_back(std::move(message));
    return true;
  }
  [[nodiscard]] std::vector<std::string> payloads() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& each : all_) found.push_back(each.payload);
    return found;
  }
  [[nodiscard]] std::vector<msgbus::envelope> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::atomic<bool> refuses{false};

 private:
  mutable std::mutex mutex_;
  std::vector<msgbus::envelope> all_;
};

/// Keeps the deliveries, unsettled.
class kept_deliveries : public msgbus::transport::delivery_sink {
 public:
  void take(std::unique_ptr<msgbus::transport::delivery> received) noexcept override {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(received));
  }
  void ended(std::exception_ptr why) noexcept override {
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }
  [[nodiscard]] msgbus::transport::delivery& at(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return *all_.at(index);
  }
  [[nodiscard]] std::vector<std::string> payloads() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& each : all_) found.push_back(each->message.payload);
    return found;
  }
  [[nodiscard]] std::exception_ptr why() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }
  void clear() {
    std::vector<std::unique_ptr<msgbus::transport::delivery>> old;
    const std::lock_guard lock(mutex_);
    old.swap(all_);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<msgbus::transport::delivery>> all_;
  std::exception_ptr why_;
};

}  // namespace msgbus_test
