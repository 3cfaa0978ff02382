#include "session.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "domain.hpp"

namespace exchange {
namespace {

constexpr std::size_t one_write = 32 * 1024;
constexpr std::size_t most_follows = 16;
constexpr auto patience = std::chrono::seconds(1);

}  // namespace

void session::start(std::function<void()> ended) {
  std::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  // So that what a slow client has not taken waits here, where it is counted, not in the kernel;
  // and that what a fast one sends waits where it comes from.
  socket_.set_option(asio::socket_base::send_buffer_size(64 * 1024), ignored);
  socket_.set_option(asio::socket_base::receive_buffer_size(64 * 1024), ignored);

  socket_.non_blocking(true, ignored);  // for `flush`

  watch();
  asio::co_spawn(socket_.get_executor(), run(),
                 [self = shared_from_this(), ended = std::move(ended)](const std::exception_ptr&) {
                   self->lose();
                   ended();
                 });
}

// --- What the server asks for. -------------------------------------------------------------------

void session::stop_reading() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    self->cancel_read_.emit(asio::cancellation_type::total);
  });
}

void session::finish() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->may_close_ = true;
    self->changed_.cancel();
  });
}

void session::abort() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->may_close_ = true;
    self->lose();
  });
}

// --- The life of a connection. -------------------------------------------------------------------

asio::awaitable<void> session::run() {
  co_await read();
  flush();
  while (!may_close_ && !lost_) co_await changed();
  follows_.clear();
  flush();
  while (writing_) co_await changed();
  if (!peer_closed_ && !lost_) co_await linger();
}

asio::awaitable<void> session::read() {
  std::error_code error;
  clock::time_point line_until = clock::now() + limits_.idle_timeout;
  while (!error && !stopping_ && !lost_) {
    const std::span<char> space = input_.space();
    read_until_ = line_until;
    const std::size_t count = co_await socket_.async_read_some(
        asio::buffer(space.data(), space.size()),
        asio::redirect_error(asio::bind_cancellation_slot(cancel_read_.slot(), asio::use_awaitable),
                             error));
    read_until_ = never;
    input_.filled(count);
    bool whole_line = false;
    for (auto line = input_.next_line(); line && !stopping_; line = input_.next_line()) {
      whole_line = true;
      if (line->empty()) continue;
      std::string answer = co_await gateway_.answer(*line, *this);
      if (output_.add_reply(std::move(answer)) >= one_write) flush();
      while (!output_.room() && !lost_) co_await changed();
    }
    if (whole_line) {
      flush();
      line_until = clock::now() + limits_.idle_timeout;
    }
    if (input_.too_long()) {
      refuse(gateway::too_long(longest_line, input_.rest()));
      co_return;
    }
    const bool is_open = !error || error == asio::error::operation_aborted;
    if (is_open && !stopping_ && !lost_ && clock::now() >= line_until) {
      timed_out_ = true;
      refuse(gateway::idle(limits_.idle_timeout));
      co_return;
    }
  }
  peer_closed_ = error && error != asio::error::operation_aborted;
  if (peer_closed_) may_close_ = true;
  if (error == asio::error::eof && !input_.rest().empty()) {
    // A last line without an end.
    output_.add_reply(co_await gateway_.answer(input_.rest(), *this));
  }
}

// The last line that this client gets.
void session::refuse(std::string line) {
  output_.add_reply(std::move(line));
  may_close_ = true;
}

asio::awaitable<void> session::changed() {
  std::error_code ignored;
  co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// --- Writing. ------------------------------------------------------------------------------------

// A socket takes nearly always what it is given: then nothing need be waited for.
void session::flush() {
  while (!writing_ && !lost_) {
    batch_.clear();
    if (!output_.take(batch_, one_write)) return;
    std::error_code error;
    const std::size_t taken = socket_.write_some(asio::buffer(batch_), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) {
      return lose();
    }
    if (taken < batch_.size()) write_rest(taken);
  }
}

void session::write_rest(std::size_t begin) {
  writing_ = true;
  write_until_ = clock::now() + limits_.idle_timeout;
  asio::async_write(socket_, asio::buffer(batch_) + begin,
                    [self = shared_from_this()](const std::error_code& error, std::size_t) {
                      self->writing_ = false;
                      self->write_until_ = never;
                      if (error) {
                        self->lose();
                      } else {
                        self->flush();
                      }
                      self->changed_.cancel();
                    });
}

void session::flush_soon() {
  if (std::exchange(is_gathering_, true)) return;
  gathering_.expires_after(limits_.gather_notices);
  gathering_.async_wait([self = shared_from_this()](const std::error_code&) {
    self->is_gathering_ = false;
    self->flush();
  });
}

// The client is gone, or the server wants no more of it.
void session::lose() {
  std::error_code ignored;
  lost_ = true;
  socket_.close(ignored);
  gathering_.cancel();
  changed_.cancel();
}

// Closing a socket that has unread bytes resets the connection, and what was written last may never
// arrive. So say that nothing more will come, and read on for a moment.
asio::awaitable<void> session::linger() {
  std::error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  asio::steady_timer timer(socket_.get_executor(), patience);
  timer.async_wait([self = shared_from_this()](const std::error_code& cancelled) {
    if (!cancelled) self->abort();
  });
  while (!error) {
    const std::span<char> space = input_.space();
    co_await socket_.async_read_some(asio::buffer(space.data(), space.size()),
                                     asio::redirect_error(asio::use_awaitable, error));
  }
}

// One timer for both times, which looks whether one of them has come: to set a timer for each read
// and write would cost more. A wait that begins later ends later than this runs again.
void session::watch() {
  const clock::time_point now = clock::now();
  if (now >= read_until_) {
    read_until_ = never;
    cancel_read_.emit(asio::cancellation_type::total);
  }
  if (now >= write_until_) {
    timed_out_ = true;
    return lose();
  }
  watch_.expires_at(std::min({read_until_, write_until_, now + limits_.idle_timeout}));
  watch_.async_wait([weak = weak_from_this()](const std::error_code& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->watch();
  });
}

// --- Following. ----------------------------------------------------------------------------------

void session::follow(const std::string& pattern) {
  if (follows_.size() == most_follows) {
    throw refusal("bad_request", "a connection follows at most " + std::to_string(most_follows) +
                                     " patterns; '" + pattern + "' would be one more");
  }
  const auto same = [&](const followed& each) { return each.pattern == pattern; };
  if (std::any_of(follows_.begin(), follows_.end(), same)) {
    throw refusal("bad_request", "this connection follows '" + pattern + "' already");
  }
  // A notice may be on its way when the session ends: it must not keep it, nor rely on it.
  auto following = board_.follow(pattern, [weak = weak_from_this()](const notice& message) {
    if (const auto self = weak.lock()) self->notify(message.line);
  });
  follows_.push_back({pattern, std::move(following)});
}

gateway::connection::totals session::unfollow(const std::string& pattern) {
  const auto found = std::find_if(follows_.begin(), follows_.end(),
                                  [&](const followed& each) { return each.pattern == pattern; });
  if (found == follows_.end()) {
    throw refusal("bad_request", "this connection does not follow '" + pattern + "'");
  }
  follows_.erase(found);  // now there are no more notices of it
  const outbox::totals all = output_.notices();
  return {.notices = all.added - all.dropped, .dropped = all.dropped};
}

// Called by the board, on any thread.
void session::notify(const std::shared_ptr<const std::string>& line) {
  if (!output_.add_notice(line)) return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush_soon(); });
}

}  // namespace exchange
