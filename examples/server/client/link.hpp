#pragma once

/// One connection to the server, in lines.

#include <asio.hpp>

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "line_buffer.hpp"

namespace load {

class link {
 public:
  explicit link(asio::any_io_executor executor) : socket_(std::move(executor)) {}

  /// With small buffers both sides feel sooner that the other one is slow.
  asio::awaitable<void> open(asio::ip::tcp::endpoint server, int buffer_bytes = 0) {
    socket_.open(server.protocol());
    if (buffer_bytes > 0) {
      socket_.set_option(asio::socket_base::receive_buffer_size(buffer_bytes));
      socket_.set_option(asio::socket_base::send_buffer_size(buffer_bytes));
    }
    co_await socket_.async_connect(server, asio::use_awaitable);
    socket_.set_option(asio::ip::tcp::no_delay(true));
    socket_.non_blocking(true);
  }

  /// False if the server is gone.
  asio::awaitable<bool> send(std::string text) {
    std::error_code error;
    const std::size_t taken = socket_.write_some(asio::buffer(text), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) {
      co_return false;
    }
    error.clear();
    if (taken < text.size()) {
      co_await asio::async_write(socket_, asio::buffer(text) + taken,
                                 asio::redirect_error(asio::use_awaitable, error));
    }
    co_return !error;
  }

  /// The next line, if it has arrived. Valid until the next call of `arrive`.
  [[nodiscard]] std::optional<std::string_view> next_line() noexcept { return bytes_.next_line(); }

  /// Waits for more. False when the server has closed the connection, or it was reset.
  asio::awaitable<bool> arrive() {
    std::error_code error;
    const std::span<char> space = bytes_.space();
    bytes_.filled(
        co_await socket_.async_read_some(asio::buffer(space.data(), space.size()),
                                         asio::redirect_error(asio::use_awaitable, error)));
    co_return !error;
  }

  /// The next line; none when there is no more to come.
  asio::awaitable<std::optional<std::string>> receive() {
    std::optional<std::string> line;
    for (bool there = true; there && !line; there = line || co_await arrive()) {
      if (const auto next = next_line()) line.emplace(*next);
    }
    co_return line;
  }

  void end_sending() {
    std::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  /// Closes so that the server sees the connection break.
  void reset() {
    std::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  [[nodiscard]] asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  asio::ip::tcp::socket socket_;
  exchange::line_buffer bytes_{1024 * 1024};
};

/// Lets others run for a while.
inline asio::awaitable<void> pause(std::chrono::steady_clock::duration length) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(length);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace load
