#pragma once

/// One client's connection: reads lines, has them answered one after the other, and writes answers
/// and notices.
///
/// Answers to lines that came together leave together, and notices wait for each other for a
/// moment: to write costs more than to carry out what most lines ask for.
///
/// What it holds is bounded: one line that has begun, one request being carried out, the answers
/// that wait to be written (when there are too many it reads no further, and so the client's own
/// sending stops), and the notices that wait (when there are too many the oldest goes). And it
/// ends: a client that sends no whole line for too long, or does not take what is written, is
/// disconnected.

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "board.hpp"
#include "connection_limits.hpp"
#include "gateway.hpp"
#include "line_buffer.hpp"
#include "notice.hpp"
#include "outbox.hpp"

namespace exchange {

class session final : public std::enable_shared_from_this<session>, private gateway::connection {
 public:
  static constexpr std::size_t longest_line = 64 * 1024;

  /// The socket's executor must be a strand of its own.
  session(asio::ip::tcp::socket socket, const connection_limits& limits, const gateway& gateway,
          board& board)
      : socket_(std::move(socket)), limits_(limits), gateway_(gateway), board_(board) {}

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
  asio::awaitable<void> linger();
  asio::awaitable<void> changed();
  void refuse(std::string line);
  void watch();

  // Writing. Whatever is added to the output must be followed by one of the first two.
  void flush();
  void flush_soon();
  void write_rest(std::size_t begin);
  void lose();

  void follow(const std::string& pattern) override;
  totals unfollow(const std::string& pattern) override;
  void notify(const std::shared_ptr<const std::string>& line);

  struct followed {
    std::string pattern;
    std::unique_ptr<board::following> following;
  };

  using clock = std::chrono::steady_clock;
  static constexpr clock::time_point never = clock::time_point::max();

  asio::ip::tcp::socket socket_;
  const connection_limits limits_;
  const gateway& gateway_;
  board& board_;
  line_buffer input_{longest_line};
  outbox output_;
  std::string batch_;  // what is being written
  std::vector<followed> follows_;

  // Never expires: to wait for it is to wait for a change of the state below, or for room.
  asio::steady_timer changed_{socket_.get_executor(), never};
  asio::cancellation_signal cancel_read_;
  asio::steady_timer watch_{socket_.get_executor()};
  asio::steady_timer gathering_{socket_.get_executor()};
  clock::time_point read_until_ = never;   // while it waits for the client to send
  clock::time_point write_until_ = never;  // while it waits for the client to take
  bool stopping_ = false;                  // read no further
  bool may_close_ = false;                 // somebody wants it closed: the client or the server
  bool peer_closed_ = false;               // the client has sent its last byte
  bool writing_ = false;                   // the client has not taken the batch yet
  bool is_gathering_ = false;              // notices are written in a moment
  bool lost_ = false;                      // nothing can be written any more
  bool timed_out_ = false;
};

}  // namespace exchange
