#pragma once

/// One client's connection: reads lines, has them answered one after the other, and writes answers
/// and notices.
///
/// What it holds is bounded: one line that has begun, one request being carried out, the answers
/// that wait to be written (when there are too many it reads no further, and so the client's own
/// sending stops), and the notices that wait (when there are too many the oldest goes).

#include <msgbus/async.hpp>
#include <asio.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway.hpp"
#include "line_buffer.hpp"
#include "notifications.hpp"
#include "outbox.hpp"

namespace exchange {

class session final : public std::enable_shared_from_this<session>, private gateway::connection {
 public:
  static constexpr std::size_t longest_line = 64 * 1024;

  /// The socket's executor must be a strand of its own.
  session(asio::ip::tcp::socket socket, const gateway& gateway, msgbus::async::subscriber& board)
      : socket_(std::move(socket)), gateway_(gateway), board_(board) {}

  /// Begins; `ended` is called when it is over.
  void start(std::function<void()> ended);

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
  asio::awaitable<void> linger();

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

  asio::ip::tcp::socket socket_;
  const gateway& gateway_;
  msgbus::async::subscriber& board_;
  line_buffer input_{longest_line};
  outbox output_;
  std::vector<followed> follows_;

  signal something_to_write_ = new_signal();
  signal something_written_ = new_signal();
  signal state_changed_ = new_signal();
  asio::cancellation_signal cancel_read_;
  bool stopping_ = false;     // read no further
  bool finishing_ = false;    // the writer is to end when there is nothing left
  bool may_close_ = false;    // somebody wants it closed: the client or the server
  bool peer_closed_ = false;  // the client has sent its last byte
  bool writing_ = true;
};

}  // namespace exchange
