#include <msgbus/transport/memory.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/error.hpp>
#include <msgbus/topic.hpp>

#include "transport/memory_hub.hpp"
#include "transport/names.hpp"

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <stdexcept>
#include <utility>

namespace msgbus {

namespace transport::memory {

namespace {

// --- Waiting for the connection. -----------------------------------------------------------------

/// Completes when the connection is present. It may be away again when the caller resumes.
asio::awaitable<void> until_there(std::shared_ptr<connection> at, exec::clock::time_point until,
                                  const char* text) {
  const auto is_there = [](void* waited_for, bool) {
    const auto& of = *static_cast<const connection*>(waited_for);
    of.must_be_open();
    return !of.away();
  };
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto left = detail::saturating_sub(until, exec::now(here));
  if (co_await at->waiting.wait_for(is_there, at.get(), left, text)) co_return;
  throw error(errc::timed_out,
              "msgbus: " + at->describe() + " was away for longer than the timeout of the " + text);
}

// --- The operations. Each resumes its caller on the caller's executor, and never inline. ---------

asio::awaitable<void> next_turn() {
  co_await asio::post(asio::use_awaitable);
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "memory transport");
}

asio::awaitable<void> flush(std::shared_ptr<connection> at, duration timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto until = detail::saturating_add(exec::now(here), timeout);
  co_await next_turn();
  co_await until_there(std::move(at), until, "flush");
}

asio::awaitable<stored> store(std::shared_ptr<connection> at, envelope message, duration timeout) {
  check_storable(message);
  check_names(message.topic, {}, {});
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto until = detail::saturating_add(exec::now(here), timeout);
  const auto shared = std::make_shared<const envelope>(std::move(message));
  co_await next_turn();
  for (;;) {
    co_await until_there(at, until, "store");
    hub_lock lock(at->at());
    at->must_be_open();
    if (at->away()) continue;
    at->must_fit(*shared);
    const std::optional<stored> kept = lock.in().send(*at, shared, at->options().echo);
    if (kept) co_return *kept;
    throw error(errc::transport_failed,
                "msgbus: no stream takes the topic '" + shared->topic + "'");
  }
}

void must_be_there(const connection& at) {
  at.must_be_open();
  if (at.away()) throw error(errc::disconnected, "msgbus: " + at.describe() + " is away");
}

asio::awaitable<void> ensure_stream(std::shared_ptr<connection> at, stream_options wanted) {
  check_name(wanted.name, "stream");
  for (const std::string& each : wanted.topics) detail::check_pattern(each);
  co_await next_turn();
  const hub_lock lock(at->at());
  must_be_there(*at);
  lock.in().ensure_stream(std::move(wanted));
}

class memory_source final : public source {
 public:
  explicit memory_source(std::shared_ptr<source_end> end) noexcept : end_(std::move(end)) {}
  ~memory_source() override { memory_source::stop(); }

  void ask(std::size_t more) noexcept override {
    hub_lock lock(end_->of().at());
    end_->ask(lock, more);
  }
  void stop() noexcept override {
    hub_lock lock(end_->of().at());
    end_->stop(lock);
  }

 private:
  const std::shared_ptr<source_end> end_;
};

asio::awaitable<std::unique_ptr<source>> pull(std::shared_ptr<connection> at, pull_options which,
                                              std::shared_ptr<delivery_sink> to) {
  check_name(which.stream, "stream");
  check_name(which.durable, "durable consumer");
  if (!which.filter.empty()) detail::check_pattern(which.filter);
  co_await next_turn();
  const hub_lock lock(at->at());
  must_be_there(*at);
  (void)lock.in().now(*at);
  auto end = std::make_shared<source_end>(at, lock.in().next_number(),
                                          lock.in().find_durable(which), std::move(to));
  lock.in().add(end);
  co_return std::make_unique<memory_source>(std::move(end));
}

asio::awaitable<std::optional<stored_message>> read(std::shared_ptr<connection> at,
                                                    std::string stream, std::uint64_t from) {
  check_name(stream, "stream");
  co_await next_turn();
  const hub_lock lock(at->at());
  must_be_there(*at);
  const auto found = lock.in().stream_of(stream).read(from, lock.in().now(*at));
  std::optional<stored_message> result;
  if (found) {
    result.emplace();
    result->message = *found->one;
    result->sequence = found->sequence;
    using system = std::chrono::system_clock;
    result->at = system::now() - std::chrono::duration_cast<system::duration>(found->age);
  }
  co_return result;
}

asio::awaitable<bool> erase(std::shared_ptr<connection> at, std::string stream,
                            std::uint64_t sequence) {
  check_name(stream, "stream");
  co_await next_turn();
  const hub_lock lock(at->at());
  must_be_there(*at);
  co_return lock.in().stream_of(stream).erase(sequence, lock.in().now(*at));
}

// --- The handles. --------------------------------------------------------------------------------

class memory_feed final : public feed {
 public:
  explicit memory_feed(std::shared_ptr<feed_end> end) noexcept : end_(std::move(end)) {}
  ~memory_feed() override { memory_feed::stop(); }

  void stop() noexcept override {
    hub_lock lock(end_->of().at());
    end_->stop(lock);
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return end_->dropped(); }

 private:
  const std::shared_ptr<feed_end> end_;
};

class memory_transport final : public transport {
 public:
  explicit memory_transport(std::shared_ptr<connection> at) noexcept : at_(std::move(at)) {}
  ~memory_transport() override { at_->close(); }

  [[nodiscard]] connection& inner() const noexcept { return *at_; }

  [[nodiscard]] features supports() const noexcept override {
    return {.durable = true, .persistent = false, .holds_back = false, .away = true};
  }
  [[nodiscard]] const asio::any_io_executor& get_executor() const noexcept override {
    return at_->executor();
  }

  void publish(const envelope& message, urgency when) override {
    check_envelope(message);
    check_names(message.topic, message.reply_to, {});
    auto shared = std::make_shared<const envelope>(message);
    hub_lock lock(at_->at());
    at_->must_be_open();
    at_->publish(lock, std::move(shared), at_->options().echo || when == urgency::at_once);
  }

  [[nodiscard]] std::unique_ptr<feed> subscribe(const std::string& pattern,
                                                const std::string& group,
                                                std::shared_ptr<sink> to) override {
    detail::check_pattern(pattern);
    if (!group.empty()) detail::check_topic(group);
    check_names(pattern, {}, group);
    const hub_lock lock(at_->at());
    at_->must_be_open();
    auto end = std::make_shared<feed_end>(at_, lock.in().next_number(), std::move(to));
    lock.in().add(end, pattern, group);
    return std::make_unique<memory_feed>(std::move(end));
  }

  [[nodiscard]] std::string new_inbox() override { return at_->new_inbox(); }

  [[nodiscard]] asio::awaitable<void> flush(duration timeout) override {
    return memory::flush(at_, timeout);
  }
  [[nodiscard]] asio::awaitable<void> ensure_stream(stream_options stream) override {
    return memory::ensure_stream(at_, std::move(stream));
  }
  [[nodiscard]] asio::awaitable<stored> store(envelope message, duration timeout) override {
    return memory::store(at_, std::move(message), timeout);
  }
  [[nodiscard]] asio::awaitable<std::unique_ptr<source>> pull(
      pull_options which, std::shared_ptr<delivery_sink> to) override {
    return memory::pull(at_, std::move(which), std::move(to));
  }
  [[nodiscard]] asio::awaitable<std::optional<stored_message>> read(std::string stream,
                                                                    std::uint64_t from) override {
    return memory::read(at_, std::move(stream), from);
  }
  [[nodiscard]] asio::awaitable<bool> erase(std::string stream, std::uint64_t sequence) override {
    return memory::erase(at_, std::move(stream), sequence);
  }

  void close() noexcept override { at_->close(); }

 private:
  const std::shared_ptr<connection> at_;
};

connection& connection_of(const transport& handle, const std::shared_ptr<hub>& at) {
  const auto* const mine = dynamic_cast<const memory_transport*>(&handle);
  if (!mine || mine->inner().at() != at) {
    throw std::invalid_argument("msgbus: this connection is not one of this memory broker");
  }
  return mine->inner();
}

}  // namespace

}  // namespace transport::memory

memory_broker::memory_broker() : hub_(std::make_shared<transport::memory::hub>()) {}

std::shared_ptr<transport::transport> memory_broker::connect(asio::any_io_executor executor) const {
  return connect(std::move(executor), memory_options{});
}

std::shared_ptr<transport::transport> memory_broker::connect(asio::any_io_executor executor,
                                                             const memory_options& options) const {
  return std::make_shared<transport::memory::memory_transport>(
      hub_->connect(std::move(executor), options));
}

void memory_broker::cut() const { hub_->set_away(true); }

void memory_broker::cut(const transport::transport& connection) const {
  hub_->set_away(transport::memory::connection_of(connection, hub_), true);
}

void memory_broker::restore() const { hub_->set_away(false); }

void memory_broker::restore(const transport::transport& connection) const {
  hub_->set_away(transport::memory::connection_of(connection, hub_), false);
}

}  // namespace msgbus
