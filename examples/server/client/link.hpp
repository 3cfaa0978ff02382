#pragma once

/// One connection to the server, in lines.

#include <asio.hpp>

#include <optional>
#include <stdexcept>
#include <string>

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
  }

  /// False if the server is gone.
  asio::awaitable<bool> send(std::string text) {
    std::error_code error;
    co_await asio::async_write(socket_, asio::buffer(text),
                               asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  /// The next line; none when the server has closed the connection, or it was reset.
  asio::awaitable<std::optional<std::string>> receive() {
    std::optional<std::string> line;
    std::error_code error;
    const std::size_t size =
        co_await asio::async_read_until(socket_, asio::dynamic_buffer(bytes_), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return line;
    line.emplace(bytes_, 0, size - 1);
    bytes_.erase(0, size);
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
  std::string bytes_;
};

/// Lets others run for a while.
inline asio::awaitable<void> pause(std::chrono::steady_clock::duration length) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(length);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace load
