#pragma once

/// NATS as a transport.

#include "session.hpp"

#include <msgbus/transport/transport.hpp>

#include <memory>
#include <string>

namespace msgbus::nats {

class nats_transport final : public transport::transport {
 public:
  explicit nats_transport(std::shared_ptr<session> connected);
  ~nats_transport() override { nats_transport::close(); }

  [[nodiscard]] msgbus::transport::features supports() const noexcept override;
  [[nodiscard]] const asio::any_io_executor& get_executor() const noexcept override;
  void publish(const envelope& message, msgbus::transport::urgency when) override;
  [[nodiscard]] std::unique_ptr<msgbus::transport::feed> subscribe(
      const std::string& pattern, const std::string& group,
      std::shared_ptr<msgbus::transport::sink> to) override;
  [[nodiscard]] std::string new_inbox() override;
  [[nodiscard]] asio::awaitable<void> flush(duration timeout) override;
  [[nodiscard]] asio::awaitable<void> ensure_stream(
      msgbus::transport::stream_options stream) override;
  [[nodiscard]] asio::awaitable<msgbus::transport::stored> store(envelope message,
                                                                 duration timeout) override;
  [[nodiscard]] asio::awaitable<std::unique_ptr<msgbus::transport::source>> pull(
      msgbus::transport::pull_options which,
      std::shared_ptr<msgbus::transport::delivery_sink> to) override;
  [[nodiscard]] std::uint64_t given_up() const noexcept override { return session_->given_up(); }
  void close() noexcept override;

 private:
  const std::shared_ptr<session> session_;
};

}  // namespace msgbus::nats
