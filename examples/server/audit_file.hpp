#pragma once

/// The audit log: one line for each fact, in the order in which they were added. Lines are written
/// by a thread of its own, all that wait at once; who adds them does not wait for that. Knows of no
/// bus. Thread-safe.

#include <asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "json_text.hpp"

namespace exchange {

class audit_file {
 public:
  /// Starts the file anew. Throws if it cannot be opened. Without a name nothing is written.
  explicit audit_file(const std::string& name);
  audit_file(const audit_file&) = delete;
  audit_file& operator=(const audit_file&) = delete;
  /// Writes what is left.
  ~audit_file();

  /// Adds a line, which is in the file a few milliseconds later. Throws if lines before it could
  /// not be written. To be followed by `room`, unless it is not `full`.
  template <class Event>
  void add(const Event& event) {
    if (!writer_.joinable()) return;
    const std::lock_guard lock(mutex_);
    check_locked();
    {
      object_text object(lines_);
      object.add("n", ++count_);
      object.add("event", name_of(event));
      add_members(object, event);
    }
    added_locked();
  }

  /// Whether so much waits that nothing should be added: the disk is slow.
  [[nodiscard]] bool full() const noexcept { return waiting_.load() >= most_waiting; }
  /// Completes when it is not.
  [[nodiscard]] asio::awaitable<void> room() const;

  /// How many lines are not in the file yet.
  [[nodiscard]] std::uint64_t unwritten() const;
  /// Completes when there are none, or at the deadline.
  [[nodiscard]] asio::awaitable<void> written(std::chrono::steady_clock::time_point deadline) const;

 private:
  static constexpr std::size_t most_waiting = 1024 * 1024;  // bytes

  void check_locked() const;
  void added_locked();
  void write_all();

  const std::string name_;
  std::ofstream out_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string lines_;        // that nobody has begun to write
  std::uint64_t count_ = 0;  // of lines that were added
  std::uint64_t written_ = 0;
  bool failed_ = false;
  bool ending_ = false;
  std::atomic<std::size_t> waiting_{0};  // the size of `lines_`
  std::thread writer_;
};

}  // namespace exchange
