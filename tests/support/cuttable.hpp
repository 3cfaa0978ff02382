#pragma once

// A TCP proxy in front of a server, whose connections can be cut.

#include "support/reserved_port.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace msgbus_test {

/// Listens on its own port, and forwards all bytes. Has its own thread.
class cuttable {
 public:
  explicit cuttable(int server_port)
      : server_(asio::ip::address_v4::loopback(), static_cast<unsigned short>(server_port)) {
    listen();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~cuttable() {
    context_.stop();
    thread_.join();
  }
  cuttable(const cuttable&) = delete;
  cuttable& operator=(const cuttable&) = delete;

  [[nodiscard]] std::string url() const {
    return "nats://127.0.0.1:" + std::to_string(port_.number());
  }

  /// Cuts all connections, and forwards no new one. Returns when the clients have noticed.
  void cut() {
    asio::post(context_, [this] {
      acceptor_.reset();
      for (const auto& each : ways_) {
        std::error_code ignored;
        each->client.shutdown(tcp::socket::shutdown_send, ignored);
        each->server.close(ignored);
      }
    });
    wait([this] { return open_ == 0; });
  }

  /// Forwards connections again. Returns when that many have come.
  void restore(int connections) {
    asio::post(context_, [this] { listen(); });
    wait([=, this] { return open_ >= connections; });
  }

 private:
  using tcp = asio::ip::tcp;

  struct way {
    explicit way(asio::io_context& in) : client(in), server(in) {}
    tcp::socket client;
    tcp::socket server;
  };

  void listen() {
    acceptor_.emplace(context_, tcp::endpoint(asio::ip::address_v4::loopback(), port_.number()));
    accept();
  }

  void accept() {
    auto next = std::make_shared<way>(context_);
    acceptor_->async_accept(next->client, [this, next](std::error_code failed) {
      if (failed || !acceptor_) return;
      accept();
      std::error_code refused;
      next->server.connect(server_, refused);
      if (refused) return;
      ways_.push_back(next);
      count(1);
      asio::co_spawn(context_, pass(next, next->client, next->server, true), asio::detached);
      asio::co_spawn(context_, pass(next, next->server, next->client, false), asio::detached);
    });
  }

  // Ends with its connection. Its exception has no other meaning.
  asio::awaitable<void> pass(std::shared_ptr<way> over, tcp::socket& from, tcp::socket& to,
                             bool is_client) {
    std::vector<char> bytes(65536);
    for (;;) {
      const auto buffer = asio::buffer(bytes);
      std::error_code failed;
      auto token = asio::redirect_error(asio::use_awaitable, failed);
      const std::size_t size = co_await from.async_read_some(buffer, token);
      if (failed) break;
      co_await asio::async_write(to, asio::buffer(bytes.data(), size), token);
      // The client of a cut connection is still read, to notice its end.
      if (failed && !is_client) break;
    }
    std::error_code ignored;
    if (is_client) {
      over->client.close(ignored);
      over->server.close(ignored);
      std::erase(ways_, over);
      count(-1);
    } else {
      over->client.shutdown(tcp::socket::shutdown_send, ignored);
    }
  }

  void count(int more) {
    const std::lock_guard lock(mutex_);
    open_ += more;
    changed_.notify_all();
  }

  template <class Holds>
  void wait(Holds holds) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, deadline, holds)) throw std::runtime_error("waited too long");
  }

  asio::io_context context_{1};
  const asio::executor_work_guard<asio::io_context::executor_type> work_ =
      asio::make_work_guard(context_);
  const tcp::endpoint server_;
  const reserved_port port_;
  std::optional<tcp::acceptor> acceptor_;
  std::vector<std::shared_ptr<way>> ways_;  // these three are used on the thread, once it runs
  std::mutex mutex_;
  std::condition_variable changed_;
  int open_ = 0;  // under the mutex
  std::thread thread_;
};

}  // namespace msgbus_test
