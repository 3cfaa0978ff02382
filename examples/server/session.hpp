#pragma once

/// One client's connection: reads lines, has them answered one after the other, and writes answers
/// and notices.
///
/// What it holds is bounded: one line that has begun, one request being carried out, the answers
/// that wait to be written (when there are too many it reads no further, and so the client's own
/// sending stops), and the notices that wait (when there are too many the oldest goes). And it
/// ends: a client that sends no whole line for too long, or does not take what is written, is
/// disconnected.

#include <msgbus/async/subscriber.hpp>
#include <msgbus/routing/subscription.hpp>

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway.hpp"
#include "line_buffer.hpp"
#include "notice.hpp"
#include "outbox.hpp"

namespace exchange {

class session final : public std::enable_shared_from_this<session>, private gateway::connection {
 public:
  static constexpr std::size_t longest_line = 64 * 1024;

  /// The socket's executor must be a strand of its own.
  session(asio::ip::tcp::socket socket, std::chrono::milliseconds idle_timeout,
          const gateway& gateway, msgbus::async::subscriber& board)
      : socket_(std::move(socket)), idle_timeout_(idle_timeout), gateway_(gateway), board_(board) {}

  /// Begins; `ended` is called when it is over.
  void start(std::function<void()> ended);

  /// Whether it is over because the client did not send, or take, in time. To be called after that.
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

  // These may be called from any thread.

  /// Answer what was read, read no further, and stay open for notices.
  void stop_reading();
  /// Write what waits, then close.
  void finish();
  /// Close, whatever waits.
  void abort();

 private:
  asio::awaitable<void> run();
  asio::awaitable<void> read();
  asio::awaitable<void> write();
  asio::awaitable<void> answer(std::string line);
  void refuse(std::string line);
  asio::awaitable<void> linger();
  void watch();

  json follow(std::string pattern) override;
  json unfollow(std::string pattern) override;
  void notify(const std::shared_ptr<const std::string>& line);

  // A timer that never expires: waiting for it is waiting for somebody to cancel it.
  using signal = asio::steady_timer;
  static asio::awaitable<void> wait(signal& raised);
  signal new_signal() {
    return signal(socket_.get_executor(), asio::steady_timer::time_point::max());
  }

  struct followed {
    std::string pattern;
    msgbus::subscription subscription;
  };

  using clock = std::chrono::steady_clock;
  static constexpr clock::time_point never = clock::time_point::max();

  asio::ip::tcp::socket socket_;
  const std::chrono::milliseconds idle_timeout_;
  const gateway& gateway_;
  msgbus::async::subscriber& board_;
  line_buffer input_{longest_line};
  outbox output_;
  std::vector<followed> follows_;

  signal something_to_write_ = new_signal();
  signal something_written_ = new_signal();
  signal state_changed_ = new_signal();
  asio::cancellation_signal cancel_read_;
  asio::steady_timer watch_{socket_.get_executor()};
  clock::time_point read_until_ = never;   // while it waits for the client to send
  clock::time_point write_until_ = never;  // while it waits for the client to take
  bool stopping_ = false;                  // read no further
  bool finishing_ = false;                 // the writer is to end when there is nothing left
  bool may_close_ = false;                 // somebody wants it closed: the client or the server
  bool peer_closed_ = false;               // the client has sent its last byte
  bool writing_ = true;
  bool timed_out_ = false;
};

}  // namespace exchange
