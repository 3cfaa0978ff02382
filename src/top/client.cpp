#include "top/client.hpp"

#include <httplib.h>

#include <utility>

namespace msgbus::top {

namespace {

constexpr time_t patience = 3;               // seconds
constexpr std::size_t largest = 64'000'000;  // bytes of a document

std::string words_of(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection: return "no program answers there (connection refused)";
    case httplib::Error::ConnectionTimeout: return "no program answers there";
    case httplib::Error::Read: return "its answer is missing, or is not HTTP";
    case httplib::Error::Canceled: return "its answer is too long";
    default: return "the request failed: " + httplib::to_string(error);
  }
}

}  // namespace

status read_once(const address& from, const std::string& token) {
  httplib::Client http(from.host, from.port);
  http.set_connection_timeout(patience);
  http.set_read_timeout(patience);
  httplib::Headers headers{{"Accept", "application/json"}};
  if (!token.empty()) headers.emplace("Authorization", "Bearer " + token);
  std::string body;
  const httplib::Result answer =
      http.Get(from.path + "status.json", headers, [&](const char* data, std::size_t size) {
        body.append(data, size);
        return body.size() <= largest;
      });
  if (!answer) throw std::runtime_error(words_of(answer.error()));
  if (answer->status == 401) {
    throw std::runtime_error(token.empty() ? "it needs a token (--token)"
                                           : "it has refused the token");
  }
  if (answer->status == 403) throw std::runtime_error("it has refused the request (403)");
  if (answer->status != 200) {
    throw not_a_monitor("it answers " + std::to_string(answer->status) +
                        ", so it is no monitor of msgbus");
  }
  return read_status(body);
}

client::client(address from, std::string token, std::chrono::milliseconds period)
    : from_(std::move(from)),
      token_(std::move(token)),
      period_(period),
      thread_([this] { run(); }) {}

client::~client() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ending_.notify_one();
  thread_.join();
}

client::result client::get() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

void client::run() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    const auto next = std::chrono::steady_clock::now() + period_;
    lock.unlock();
    ask();
    lock.lock();
    ending_.wait_until(lock, next, [this] { return ends_; });
  }
}

void client::ask() {
  std::optional<status> read;
  std::string failure;
  try {
    read = read_once(from_, token_);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  const std::lock_guard lock(mutex_);
  if (read) {
    result_.newest = std::move(read);
  } else if (result_.failure.empty()) {
    result_.failing_since = std::chrono::steady_clock::now();
  }
  result_.failure = std::move(failure);
  ++result_.number;
}

}  // namespace msgbus::top
