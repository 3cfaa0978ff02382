#pragma once

// The thread that reads, with a connection of its own.

#include "durable/connection.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace msgbus::durable::detail {

class read_thread {
 public:
  /// A read. Gets the connection, or null and why there is none.
  using task = std::function<void(connection*, const std::exception_ptr& why_not)>;

  explicit read_thread(const open_options& options) : options_(options) {}
  read_thread(const read_thread&) = delete;
  read_thread& operator=(const read_thread&) = delete;
  ~read_thread() { stop(); }

  /// Starts the thread with the first one. False if it has stopped.
  bool submit(task added);
  /// Runs the submitted work, and ends the thread.
  void stop() noexcept;

 private:
  void run();

  const open_options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<task> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace msgbus::durable::detail
