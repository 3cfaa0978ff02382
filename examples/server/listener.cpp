#include "listener.hpp"

#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <string>
#include <system_error>
#include <utility>

#include "gateway.hpp"
#include "process.hpp"
#include "session.hpp"

namespace exchange {

using asio::ip::tcp;

namespace {

// Throws if it cannot listen, and says where.
tcp::acceptor open_acceptor(const asio::any_io_executor& on, std::uint16_t port) {
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  try {
    return tcp::acceptor(on, where);
  } catch (const std::system_error& failed) {
    throw std::system_error(failed.code(), "cannot listen on 127.0.0.1:" + std::to_string(port));
  }
}

}  // namespace

listener::listener(asio::io_context& io, int threads, std::uint16_t port,
                   const connection_limits& limits, const gateway& gateway, exchange::board& board)
    : io_(io),
      threads_(threads),
      limits_(limits),
      gateway_(gateway),
      board_(board),
      acceptor_(open_acceptor(serial_executor(io, threads), port)),
      retry_(acceptor_.get_executor()),
      empty_(acceptor_.get_executor(), asio::steady_timer::time_point::max()) {}

asio::awaitable<void> listener::accept() {
  while (acceptor_.is_open()) {
    tcp::socket peer(serial_executor(io_, threads_));  // each session has one of its own
    std::error_code error;
    co_await acceptor_.async_accept(peer, asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open()) co_return;
    if (error) {
      // For instance no file descriptors: others will be closed.
      retry_.expires_after(std::chrono::milliseconds(50));
      co_await retry_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    } else if (sessions_.size() >= static_cast<std::size_t>(limits_.connections)) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      refuse(peer);
    } else {
      begin(std::move(peer));
    }
  }
}

void listener::begin(tcp::socket peer) {
  auto added = std::make_shared<session>(std::move(peer), limits_, gateway_, board_);
  sessions_.insert(added);
  accepted_.fetch_add(1, std::memory_order_relaxed);
  open_.store(sessions_.size(), std::memory_order_relaxed);
  const std::weak_ptr<session> weak = added;
  added->start([this, weak] {
    asio::post(acceptor_.get_executor(), [this, ended = weak.lock()] {
      if (ended->timed_out()) timed_out_.fetch_add(1, std::memory_order_relaxed);
      sessions_.erase(ended);
      open_.store(sessions_.size(), std::memory_order_relaxed);
      if (sessions_.empty()) empty_.cancel();
    });
  });
}

// Says why if that is possible without waiting.
void listener::refuse(tcp::socket& peer) const {
  const std::string text = gateway::no_room(limits_.connections);
  std::error_code ignored;
  peer.non_blocking(true, ignored);
  peer.write_some(asio::buffer(text), ignored);
  peer.close(ignored);
}

void listener::stop() {
  std::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const auto& each : sessions_) each->stop_reading();
}

asio::awaitable<std::size_t> listener::finish(std::chrono::steady_clock::time_point deadline) {
  std::error_code error;
  for (const auto& each : sessions_) each->finish();
  empty_.expires_at(deadline);
  while (!sessions_.empty() && std::chrono::steady_clock::now() < deadline) {
    co_await empty_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  const std::size_t cut_off = sessions_.size();
  for (const auto& each : sessions_) each->abort();
  empty_.expires_at(asio::steady_timer::time_point::max());
  while (!sessions_.empty()) {
    co_await empty_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  co_return cut_off;
}

listener::totals listener::stats() const {
  return {accepted_.load(std::memory_order_relaxed), refused_.load(std::memory_order_relaxed),
          timed_out_.load(std::memory_order_relaxed), open_.load(std::memory_order_relaxed)};
}

}  // namespace exchange
