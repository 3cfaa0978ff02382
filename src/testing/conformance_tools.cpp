#include "testing/conformance_tools.hpp"

namespace msgbus::testing::conformance {

void expect(bool holds, std::string_view sentence) {
  if (!holds) fail("not true: " + std::string(sentence));
}

void fail(const std::string& sentence) { throw conformance_failure(sentence); }

// --- Waiting. ------------------------------------------------------------------------------------

asio::awaitable<void> changing::until(std::function<bool()> holds, duration within,
                                      std::string text) {
  const auto attempt = [](void* of, bool) { return (*static_cast<std::function<bool()>*>(of))(); };
  const bool held = co_await waiting_.wait_for(attempt, &holds, within, text.c_str());
  if (!held) fail("waited too long for " + text);
}

void changing::changed() noexcept {
  exec::wake_batch woken;
  const std::lock_guard lock(mutex_);
  waiting_.wake(exec::wait_list::all, woken);
}

// --- Sinks. --------------------------------------------------------------------------------------

bool recorder::take(envelope&& message, bool /*may_wait*/) noexcept {
  if (inside_.exchange(true)) overlapped_ = true;
  behind_ = true;
  const bool taken = !refuses_;
  if (taken) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(message));
  } else {
    ++refused_;
  }
  inside_ = false;
  changed();
  return taken;
}

void recorder::caught_up() noexcept {
  if (inside_) overlapped_ = true;
  behind_ = false;
  changed();
}

void recorder::interrupted() noexcept {
  ++losses_;
  changed();
}

std::size_t recorder::size() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

envelope recorder::at(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return all_.at(index);
}

std::vector<std::string> recorder::payloads() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  found.reserve(all_.size());
  for (const envelope& each : all_) found.push_back(each.payload);
  return found;
}

asio::awaitable<void> recorder::until_size(std::size_t many, duration within) {
  std::function<bool()> holds = [this, many] { return size() >= many; };
  std::string text = std::to_string(many) + " envelopes";
  return until(std::move(holds), within, std::move(text));
}

asio::awaitable<void> recorder::until_lost(std::size_t times, duration within) {
  std::function<bool()> holds = [this, times] { return losses() >= times; };
  std::string text = "word of " + std::to_string(times) + " losses of the connection";
  return until(std::move(holds), within, std::move(text));
}

void collector::take(std::unique_ptr<transport::delivery> received) noexcept {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(received));
    ++came_;
  }
  changed();
}

void collector::ended(std::exception_ptr why) noexcept {
  {
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
  }
  changed();
}

std::size_t collector::came() const {
  const std::lock_guard lock(mutex_);
  return came_;
}

std::exception_ptr collector::why_ended() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

asio::awaitable<std::unique_ptr<transport::delivery>> collector::next(duration within) {
  std::function<bool()> holds = [this] {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty();
  };
  std::string text = "a delivery";
  co_await until(std::move(holds), within, std::move(text));
  const std::lock_guard lock(mutex_);
  std::unique_ptr<transport::delivery> first = std::move(waiting_.front());
  waiting_.pop_front();
  co_return first;
}

asio::awaitable<void> collector::until_ended(duration within) {
  std::function<bool()> holds = [this] { return why_ended() != nullptr; };
  std::string text = "the end of a source";
  return until(std::move(holds), within, std::move(text));
}

// --- Messages. -----------------------------------------------------------------------------------

envelope made(const std::string& topic, std::string payload) {
  envelope message;
  message.topic = topic;
  message.payload = std::move(payload);
  return message;
}

envelope with_id(const std::string& topic, std::string payload) {
  std::string id = topic + "#" + payload;
  envelope message = made(topic, std::move(payload));
  message.headers.emplace(header::message_id, std::move(id));
  return message;
}

asio::awaitable<std::unique_ptr<transport::feed>> listen(const connection& at, std::string pattern,
                                                         std::string group,
                                                         std::shared_ptr<recorder> to,
                                                         duration within) {
  auto feed = at->subscribe(pattern, group, std::move(to));
  co_await at->flush(within);
  co_return feed;
}

asio::awaitable<void> make_stream(transport_environment& in, const connection& at) {
  transport::stream_options options;
  options.name = in.stream();
  options.topics.push_back(in.topic(">"));
  options.in_memory = true;
  return at->ensure_stream(std::move(options));
}

asio::awaitable<transport::stored> store(transport_environment& in, const connection& at,
                                         std::string name, std::string payload) {
  return at->store(with_id(in.topic(name), std::move(payload)), in.deadline());
}

transport::pull_options from_stream(const transport_environment& in, std::string durable_name) {
  transport::pull_options which;
  which.stream = in.stream();
  which.durable = std::move(durable_name);
  which.ack_wait = in.deadline() * 3;
  return which;
}

}  // namespace msgbus::testing::conformance
