#pragma once

// A transport that refuses to store some messages, and else does what another one does.

#include <msgbus/error.hpp>
#include <msgbus/transport/transport.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace msgbus_test {

class refusing_transport final : public msgbus::transport::transport {
 public:
  using duration = msgbus::transport::duration;

  explicit refusing_transport(std::shared_ptr<msgbus::transport::transport> over)
      : over_(std::move(over)) {}

  std::size_t largest = std::numeric_limits<std::size_t>::max();  ///< with its headers
  std::string refused_header;
  bool fails_for_now = false;
  bool erases_nothing = false;
  std::function<void()> before_publish;  ///< once

  /// The sink of the last subscription to this pattern; null if it has gone.
  [[nodiscard]] std::shared_ptr<msgbus::transport::sink> sink_of(const std::string& pattern) {
    return sinks_[pattern].lock();
  }

  [[nodiscard]] msgbus::transport::features supports() const noexcept override {
    return over_->supports();
  }
  [[nodiscard]] const asio::any_io_executor& get_executor() const noexcept override {
    return over_->get_executor();
  }
  void publish(const msgbus::envelope& message, msgbus::transport::urgency when) override {
    if (const auto first = std::exchange(before_publish, nullptr)) first();
    over_->publish(message, when);
  }
  [[nodiscard]] std::unique_ptr<msgbus::transport::feed> subscribe(
      const std::string& pattern, const std::string& group,
      std::shared_ptr<msgbus::transport::sink> to) override {
    sinks_[pattern] = to;
    return over_->subscribe(pattern, group, std::move(to));
  }
  [[nodiscard]] std::string new_inbox() override { return over_->new_inbox(); }
  [[nodiscard]] asio::awaitable<void> flush(duration timeout) override {
    return over_->flush(timeout);
  }
  [[nodiscard]] asio::awaitable<void> ensure_stream(
      msgbus::transport::stream_options stream) override {
    return over_->ensure_stream(std::move(stream));
  }
  [[nodiscard]] asio::awaitable<msgbus::transport::stored> store(msgbus::envelope message,
                                                                 duration timeout) override {
    if (fails_for_now) {
      throw msgbus::error(msgbus::errc::transport_failed, "the stream is full");
    }
    std::size_t size = message.payload.size();
    for (const auto& [name, value] : message.headers) size += name.size() + value.size();
    if (size > largest) throw msgbus::transport::message_refused("it is too large");
    if (message.headers.find(refused_header) != message.headers.end()) {
      throw msgbus::error(msgbus::errc::bad_arguments, "a header that cannot be");
    }
    return over_->store(std::move(message), timeout);
  }
  [[nodiscard]] asio::awaitable<std::unique_ptr<msgbus::transport::source>> pull(
      msgbus::transport::pull_options which,
      std::shared_ptr<msgbus::transport::delivery_sink> to) override {
    return over_->pull(std::move(which), std::move(to));
  }
  [[nodiscard]] asio::awaitable<std::optional<msgbus::transport::stored_message>> read(
      std::string stream, std::uint64_t from) override {
    return over_->read(std::move(stream), from);
  }
  [[nodiscard]] asio::awaitable<bool> erase(std::string stream, std::uint64_t sequence) override {
    if (erases_nothing) {
      throw msgbus::error(msgbus::errc::transport_failed, "message delete not permitted");
    }
    return over_->erase(std::move(stream), sequence);
  }
  void close() noexcept override { over_->close(); }

 private:
  const std::shared_ptr<msgbus::transport::transport> over_;
  std::map<std::string, std::weak_ptr<msgbus::transport::sink>> sinks_;
};

}  // namespace msgbus_test
