#include "soak_side.hpp"

#include <msgbus/detail/exec/timer.hpp>

#include <chrono>
#include <cstring>
#include <utility>

namespace bench {

namespace {

using namespace std::chrono_literals;

constexpr int storing_at_once = 256;
// A sender waits while so many of its messages are not handled: the stream keeps more than these.
constexpr std::uint64_t stored_ahead = 20'000;
// Few, since they are in this process, and its memory is watched.
constexpr std::uint64_t live_ahead = 4'000;
constexpr auto look_again = 1ms;
constexpr std::uint64_t most_shown = 5;

std::uint64_t number_of(const blob& message) noexcept {
  std::uint64_t number = 0;
  std::memcpy(&number, message.bytes.data(), sizeof number);
  return number;
}

}  // namespace

soak_side::soak_side(const std::string& url, std::string name, std::string other,
                     soak_direction& out, soak_direction& in)
    : name_(std::move(name)), other_(std::move(other)), sending_(out), receiving_(in) {
  to_.subscribe(topic(other_, "stored"), [this](const blob& message, const msgbus::context& about) {
    take_stored(message, about);
  });
  to_.subscribe(topic(other_, "live"), [this](const blob& message) { take_live(message); });
  asio::io_context here{1};
  run_here(here, join(url));
  flush(*bridge_);
}

soak_side::~soak_side() = default;

asio::awaitable<void> soak_side::join(std::string url) {
  msgbus::nats::options options;
  options.url = std::move(url);
  msgbus::bridge_options bridging;
  bridging.on_failure = [this](std::string_view, const std::exception_ptr&) { ++failures_; };
  auto connecting = msgbus::nats::connect(there_.executor(), options, bridging);
  bridge_.emplace(co_await std::move(connecting));

  msgbus::transport::stream_options stream;
  stream.name = "SOAK";
  stream.topics.push_back("soak.*.stored");
  stream.duplicate_window = 60s;
  stream.max_messages = 400'000;
  auto making = bridge_->ensure_stream(stream);
  co_await std::move(making);

  msgbus::durable_options how;
  how.stream = "SOAK";
  how.durable = name_;
  how.ack_wait = 2s;
  how.max_deliver = 0;
  how.backoff = 20ms;
  auto joining = bridge_->durable<blob>(to_, topic(other_, "stored"), how);
  durable_in_ = co_await std::move(joining);
  live_in_ = bridge_->inbound<blob>(to_, topic(other_, "live"));
  bridge_->outbound<blob>(from_, topic(name_, "live"));
}

template <class Loop>
void soak_side::spawn(Loop loop) {
  ++running_;
  asio::co_spawn(there_.executor(), loop(), [this](const std::exception_ptr& failure) {
    must_succeed(failure);
    --running_;
  });
}

void soak_side::start() {
  for (int i = 0; i < storing_at_once; ++i) {
    spawn([this] { return store_on_end(); });
  }
  spawn([this] { return send_on_end(); });
}

asio::awaitable<void> soak_side::store_on_end() {
  while (!stopping_) {
    if (sending_.begun >= sending_.handled + sending_.unknown + stored_ahead) {
      co_await msgbus::exec::sleep(look_again);
      continue;
    }
    const std::uint64_t number = sending_.begun++;
    if (number >= sending_.capacity) throw std::length_error("more messages than a soak counts");
    co_await store_one(number);
  }
}

asio::awaitable<void> soak_side::store_one(std::uint64_t number) {
  msgbus::store_options how;
  how.timeout = 40s;  // less than the stream's duplicate window
  const blob message(number);
  try {
    auto storing = bridge_->store(message, topic(name_, "stored"), how);
    (void)co_await std::move(storing);
  } catch (const msgbus::error&) {
    ++sending_.unknown;
    co_return;
  }
  sending_.stored_bits.set(number);
  ++sending_.stored;
}

asio::awaitable<void> soak_side::send_on_end() {
  std::uint64_t lost = 0, last = 0;
  auto since = std::chrono::steady_clock::now();
  while (!stopping_) {
    const std::uint64_t received = sending_.received;
    if (received != last) {
      last = received;
      since = std::chrono::steady_clock::now();
    }
    if (sending_.sent >= received + lost + live_ahead) {
      // When none comes any more, those that are under way are lost.
      if (std::chrono::steady_clock::now() - since > 1s) lost = sending_.sent - received;
      co_await msgbus::exec::sleep(look_again);
      continue;
    }
    const blob message(sending_.sent);
    if (sending_.sent >= sending_.capacity) {
      throw std::length_error("more messages than a soak counts");
    }
    ++sending_.sent;
    auto sending = from_.send(message, topic(name_, "live"));
    (void)co_await std::move(sending);
  }
}

void soak_side::take_stored(const blob& message, const msgbus::context& about) {
  const std::uint64_t number = number_of(message);
  const std::uint64_t place = about.stored() ? about.stored()->sequence : 0;
  if (!receiving_.handled_bits.set(number)) {
    receiving_.places.set(number, place);
    ++receiving_.handled;
    return;
  }
  const std::uint64_t before = receiving_.places.find(number);
  if (before != 0 && before != place) ++receiving_.places_differ;
  if (about.attempt() > 1) {
    ++receiving_.again;
  } else if (++receiving_.untold <= most_shown) {
    std::fprintf(stderr, "%s: message %llu was handled from place %llu, and again from %llu\n",
                 name_.c_str(), static_cast<unsigned long long>(number),
                 static_cast<unsigned long long>(before), static_cast<unsigned long long>(place));
  }
}

void soak_side::take_live(const blob& message) {
  if (receiving_.live_bits.set(number_of(message))) {
    ++receiving_.live_twice;
  } else {
    ++receiving_.received;
  }
}

}  // namespace bench
