#pragma once

// A collector of OpenTelemetry.

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace msgbus_test {

/// A collector on a free port of the loopback, which answers as it is told.
class collector {
 public:
  collector() {
    server_.Post("/v1/.*", [this](const httplib::Request& asked, httplib::Response& answer) {
      std::unique_lock lock(mutex_);
      requests.push_back(asked);
      came_.notify_all();
      came_.wait(lock, [this] { return !is_slow; });
      if (answer_with == 200) accepted += spans_in(asked.body);
      answer.status = answer_with;
      answer.set_content(body, "application/json");
    });
    server_.set_tcp_nodelay(true);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  ~collector() {
    answer_at_last();
    server_.stop();
    thread_.join();
  }

  [[nodiscard]] std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void set(int status, std::string with = "{}") {
    const std::lock_guard lock(mutex_);
    answer_with = status;
    body = std::move(with);
  }
  void be_slow() {
    const std::lock_guard lock(mutex_);
    is_slow = true;
  }
  void answer_at_last() {
    const std::lock_guard lock(mutex_);
    is_slow = false;
    came_.notify_all();
  }
  void wait_for_request(std::size_t many = 1) {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return requests.size() >= many; });
  }

  std::vector<httplib::Request> requests;
  std::size_t accepted = 0;  // spans
  bool is_slow = false;
  int answer_with = 200;
  std::string body = "{}";

 private:
  static std::size_t spans_in(const std::string& request) {
    const auto body = nlohmann::json::parse(request);
    const auto spans = nlohmann::json::json_pointer("/resourceSpans/0/scopeSpans/0/spans");
    return body.contains(spans) ? body[spans].size() : 0;
  }

  httplib::Server server_;
  std::mutex mutex_;
  std::condition_variable came_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace msgbus_test
