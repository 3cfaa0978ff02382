// A transport has two connections, because one cannot both send at once and send many together:
//
// - bulk: nats.c's flusher sends what has gathered every millisecond. Carries what is published in
//   bulk, what settles deliveries, and stores of which many are under way. It holds the
//   subscriptions to topics.
// - low latency: everything is sent at once (SendAsap). Carries what is published at once, all
//   requests of our own (JetStream's API, pulling), and stores of which few are under way. It holds
//   the subscriptions to inboxes, and those that pull.
//
// Echo. With `options::echo` off, the server does not send a connection what it published itself
// (NoEcho). Only bulk has that: so what was published in bulk does not come back to topics. The
// other has not: a request that was published at once reaches a service that is subscribed on bulk,
// as one connection's message for another; the service's reply, published at once, comes back to
// the inbox on the same connection as the request.
//
// Order. The server sees the messages of one connection in order. An inbox's subscription and a
// request that names it are both on the one of low latency, so the answer cannot come too early,
// and without a flush; the server's 'no responders' also only goes to the connection that sent the
// request, which must be the one that has the inbox. Between the two there is no order, unless by
// `flush`, which takes both.

#include "connection.hpp"
#include "jetstream.hpp"
#include "native.hpp"
#include "session.hpp"
#include "times.hpp"
#include "transport/names.hpp"
#include "urls.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/nats/connect.hpp>
#include <msgbus/nats/options.hpp>
#include <msgbus/topic.hpp>

#include <asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace msgbus::nats {

namespace {

// The prefix of `make_inbox`, the only way to get an inbox.
constexpr std::string_view inbox_prefix = "_INBOX.";

// nats.c flushes by waiting: on the connection's thread.
void flush_later(const std::shared_ptr<connection>& over, duration at_most,
                 std::shared_ptr<transport::reply<answer>> flushed) {
  over->run_at(blocking_thread::time_point::min(),
               [weak = std::weak_ptr(over), at_most, flushed = std::move(flushed)] {
                 const auto self = weak.lock();
                 if (!self) return;
                 const natsStatus status = self->flush(milliseconds(at_most));
                 answer done;
                 if (status != NATS_OK) done.payload = std::string_view(text_of(status));
                 done.code = status;
                 flushed->give(std::move(done));
               });
}

asio::awaitable<void> flush_one(std::shared_ptr<session> through, role which, deadline until) {
  const std::string text = "flush";
  const std::shared_ptr<connection> over = through->over(which);
  while (over->is_away()) {
    const answer none{answer::end::lost};
    through->check_ended(none, which, until, text);
    // It may come back just now.
    const duration left = until.left();
    co_await through->pause(std::min<duration>(left, std::chrono::milliseconds(100)));
  }
  // It ends with the connection, or with this.
  const awaited_reply flushed(through->asking(which).waiting(), until.caller(), until.left());
  flush_later(over, until.left(), flushed.promise());
  const answer got = co_await wait(flushed);
  through->check_ended(got, which, until, text);
  const auto status = static_cast<natsStatus>(got.code);
  if (got.came == answer::end::given && status == NATS_OK) co_return;
  // Nobody has closed it, as was looked up just now: nats.c has given up on a connection.
  const bool is_lost = got.came == answer::end::lost || code_of(status) == errc::closed;
  const std::string why(is_lost ? "the connection was lost" : std::string_view(got.payload));
  throw error(is_lost ? errc::disconnected : code_of(status),
              text + ": " + over->server() + ": " + why);
}

asio::awaitable<void> flush_session(std::shared_ptr<session> through, duration timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, timeout);
  co_await flush_one(through, role::bulk, until);
  co_await flush_one(through, role::low_latency, until);
}

class nats_transport final : public transport::transport {
 public:
  explicit nats_transport(std::shared_ptr<session> connected);
  ~nats_transport() override { nats_transport::close(); }

  [[nodiscard]] msgbus::transport::features supports() const noexcept override;
  [[nodiscard]] const char* system() const noexcept override { return "nats"; }
  [[nodiscard]] std::vector<std::string> servers() const override;
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
  [[nodiscard]] asio::awaitable<std::optional<msgbus::transport::stored_message>> read(
      std::string stream, std::uint64_t from) override {
    return read_from_stream(session_, std::move(stream), from);
  }
  [[nodiscard]] asio::awaitable<bool> erase(std::string stream, std::uint64_t sequence) override {
    return erase_from_stream(session_, std::move(stream), sequence);
  }
  [[nodiscard]] std::uint64_t given_up() const noexcept override { return session_->given_up(); }
  void close() noexcept override;

 private:
  const std::shared_ptr<session> session_;
};

nats_transport::nats_transport(std::shared_ptr<session> connected)
    : session_(std::move(connected)) {}

msgbus::transport::features nats_transport::supports() const noexcept {
  return {.durable = true, .persistent = true, .holds_back = false, .away = true};
}

std::vector<std::string> nats_transport::servers() const {
  std::vector<std::string> all;
  for (server_url each : parse_urls(session_->given().url)) {
    if (each.scheme.empty()) each.scheme = session_->given().tls.required ? "tls" : "nats";
    if (each.port.empty()) each.port = "4222";
    all.push_back(shown(each));
  }
  return all;
}

const asio::any_io_executor& nats_transport::get_executor() const noexcept {
  return session_->executor();
}

void nats_transport::publish(const envelope& message, msgbus::transport::urgency when) {
  const bool in_bulk = when == msgbus::transport::urgency::bulk;
  session_->over(in_bulk ? role::bulk : role::low_latency)->publish(message, message.reply_to);
}

std::unique_ptr<msgbus::transport::feed> nats_transport::subscribe(
    const std::string& pattern, const std::string& group,
    std::shared_ptr<msgbus::transport::sink> to) {
  detail::check_pattern(pattern);
  if (!group.empty()) detail::check_topic(group);
  msgbus::transport::check_names(pattern, {}, group);
  const role which = pattern.starts_with(inbox_prefix) ? role::low_latency : role::bulk;
  return open_feed(session_->over(which), pattern, group,
                   std::max(1, session_->given().pending_limit), std::move(to));
}

std::string nats_transport::new_inbox() { return make_inbox(); }

asio::awaitable<void> nats_transport::flush(duration timeout) {
  return flush_session(session_, timeout);
}

asio::awaitable<void> nats_transport::ensure_stream(msgbus::transport::stream_options stream) {
  return nats::ensure_stream(session_, std::move(stream));
}

asio::awaitable<msgbus::transport::stored> nats_transport::store(envelope message,
                                                                 duration timeout) {
  return nats::store(session_, std::move(message), timeout);
}

asio::awaitable<std::unique_ptr<msgbus::transport::source>> nats_transport::pull(
    msgbus::transport::pull_options which, std::shared_ptr<msgbus::transport::delivery_sink> to) {
  return nats::pull(session_, std::move(which), std::move(to));
}

void nats_transport::close() noexcept { session_->close(); }

// --- Connecting. ---------------------------------------------------------------------------------

/// Shared by the coroutine and the thread that connects, which sets it.
struct attempt final : exec::one_shot_event {
  std::shared_ptr<session> made;
  std::exception_ptr failed;
};

/// The thread that connects. Connecting blocks and cannot be interrupted: a coroutine that is
/// cancelled leaves the thread behind. One that is not waits for the thread's end, which is near,
/// so that nothing of an attempt is left when `open` has completed.
class connecting_thread {
 public:
  explicit connecting_thread(std::thread made) : thread_(std::move(made)) {}
  connecting_thread(const connecting_thread&) = delete;
  connecting_thread& operator=(const connecting_thread&) = delete;
  ~connecting_thread() {
    if (thread_.joinable()) thread_.detach();
  }
  void join() { join_unless_self(thread_); }

 private:
  std::thread thread_;
};

void connect(attempt& with) noexcept {
  try {
    with.made->connect();
  } catch (...) {
    with.failed = std::current_exception();
  }
}

asio::awaitable<std::shared_ptr<transport::transport>> open(std::shared_ptr<attempt> with) {
  connecting_thread thread(std::thread([with] {
    connect(*with);
    with->set();
  }));
  co_await with->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "NATS");
  thread.join();
  if (with->failed) std::rethrow_exception(with->failed);
  std::shared_ptr<transport::transport> result = std::make_shared<nats_transport>(with->made);
  co_return result;
}

}  // namespace

asio::awaitable<std::shared_ptr<transport::transport>> open(asio::any_io_executor executor,
                                                            const options& options) {
  auto with = std::make_shared<attempt>();
  with->made = std::make_shared<session>(std::move(executor), options);
  return open(std::move(with));
}

namespace {

asio::awaitable<bridge> make_bridge(asio::awaitable<std::shared_ptr<transport::transport>> opening,
                                    bridge_options bridging) {
  std::shared_ptr<transport::transport> over = co_await std::move(opening);
  bridge made(std::move(over), std::move(bridging));
  co_return made;
}

}  // namespace

asio::awaitable<bridge> connect(asio::any_io_executor executor, const options& options,
                                bridge_options bridging) {
  return make_bridge(open(std::move(executor), options), std::move(bridging));
}

asio::awaitable<bridge> connect(asio::any_io_executor executor, const options& options) {
  return connect(std::move(executor), options, bridge_options{});
}

}  // namespace msgbus::nats
