#include "session.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "json.hpp"

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

  watch();
  const auto executor = socket_.get_executor();
  asio::co_spawn(executor, write(), [self = shared_from_this()](const std::exception_ptr&) {
    self->writing_ = false;
    self->something_written_.cancel();
    self->state_changed_.cancel();
  });
  asio::co_spawn(executor, run(),
                 [self = shared_from_this(), ended = std::move(ended)](const std::exception_ptr&) {
                   std::error_code closed;
                   self->socket_.close(closed);
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
    self->state_changed_.cancel();
  });
}

void session::abort() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    std::error_code ignored;
    self->may_close_ = true;
    self->socket_.close(ignored);
    self->state_changed_.cancel();
  });
}

// --- The life of a connection. -------------------------------------------------------------------

asio::awaitable<void> session::run() {
  co_await read();
  while (!may_close_ && writing_) co_await wait(state_changed_);
  for (followed& each : follows_) each.subscription.cancel();
  follows_.clear();
  finishing_ = true;
  something_to_write_.cancel();
  while (writing_) co_await wait(state_changed_);
  if (!peer_closed_) co_await linger();
}

asio::awaitable<void> session::read() {
  std::error_code error;
  clock::time_point line_until = clock::now() + idle_timeout_;
  while (!error && !stopping_ && writing_) {
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
      if (!line->empty()) co_await answer(std::string(*line));
    }
    if (whole_line) line_until = clock::now() + idle_timeout_;
    if (input_.too_long()) {
      refuse(gateway::too_long(longest_line, input_.rest()));
      co_return;
    }
    const bool is_open = !error || error == asio::error::operation_aborted;
    if (is_open && !stopping_ && writing_ && clock::now() >= line_until) {
      timed_out_ = true;
      refuse(gateway::idle(idle_timeout_));
      co_return;
    }
  }
  peer_closed_ = error && error != asio::error::operation_aborted;
  if (peer_closed_) may_close_ = true;
  if (error == asio::error::eof && !input_.rest().empty()) {
    co_await answer(std::string(input_.rest()));  // a last line without an end
  }
}

asio::awaitable<void> session::answer(std::string line) {
  std::string answered = co_await gateway_.answer(std::move(line), *this);
  if (output_.add_reply(std::move(answered))) something_to_write_.cancel();
  while (!output_.room() && writing_) co_await wait(something_written_);
}

// The last line that this client gets.
void session::refuse(std::string line) {
  if (output_.add_reply(std::move(line))) something_to_write_.cancel();
  may_close_ = true;
}

asio::awaitable<void> session::write() {
  std::string batch;
  std::error_code error;
  while (!error) {
    batch.clear();
    if (output_.take(batch, one_write)) {
      something_written_.cancel();
      write_until_ = clock::now() + idle_timeout_;
      co_await asio::async_write(socket_, asio::buffer(batch),
                                 asio::redirect_error(asio::use_awaitable, error));
      write_until_ = never;
    } else if (finishing_) {
      co_return;
    } else {
      co_await wait(something_to_write_);
    }
  }
  socket_.close(error);  // the client is gone: the reader is to notice
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
    std::error_code ignored;
    socket_.close(ignored);
    return;
  }
  watch_.expires_at(std::min({read_until_, write_until_, now + idle_timeout_}));
  watch_.async_wait([weak = weak_from_this()](const std::error_code& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->watch();
  });
}

asio::awaitable<void> session::wait(signal& raised) {
  std::error_code ignored;
  co_await raised.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// --- Following. ----------------------------------------------------------------------------------

json session::follow(std::string pattern) {
  if (follows_.size() == most_follows) {
    throw refusal("bad_request", "a connection follows at most " + std::to_string(most_follows) +
                                     " patterns; '" + pattern + "' would be one more");
  }
  const auto same = [&](const followed& each) { return each.pattern == pattern; };
  if (std::any_of(follows_.begin(), follows_.end(), same)) {
    throw refusal("bad_request", "this connection follows '" + pattern + "' already");
  }
  // A notice may be on its way when the session ends: it must not keep it, nor rely on it.
  auto subscription = board_.subscribe(pattern, [weak = weak_from_this()](const notice& message) {
    if (const auto self = weak.lock()) self->notify(message.line);
  });
  follows_.push_back({pattern, std::move(subscription)});
  json result;
  result["following"] = std::move(pattern);
  return result;
}

json session::unfollow(std::string pattern) {
  const auto found = std::find_if(follows_.begin(), follows_.end(),
                                  [&](const followed& each) { return each.pattern == pattern; });
  if (found == follows_.end()) {
    throw refusal("bad_request", "this connection does not follow '" + pattern + "'");
  }
  found->subscription.cancel();  // when this has returned, there are no more notices of it
  follows_.erase(found);
  const outbox::totals totals = output_.notices();
  json result;
  result["followed"] = std::move(pattern);
  result["notices"] = totals.added - totals.dropped;  // over the whole connection
  result["dropped"] = totals.dropped;
  return result;
}

// Called by the board, on its own strand.
void session::notify(const std::shared_ptr<const std::string>& line) {
  if (!output_.add_notice(line)) return;
  asio::post(socket_.get_executor(),
             [self = shared_from_this()] { self->something_to_write_.cancel(); });
}

}  // namespace exchange
