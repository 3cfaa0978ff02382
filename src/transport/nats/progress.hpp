#pragma once

/// Tells the server that deliveries are still being handled, as long as they live unsettled.

#include "link.hpp"
#include "worker.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace msgbus::nats {

/// The deliveries of one source that are not settled. A thread of the transport tells the server of
/// each, every third of the server's patience: the executor of those who handle them may be busy
/// for long. There is no timer for each delivery: since the patience is the same for all, the list
/// is in the order of time. Thread-safe; owned by shared pointer, by the source and its deliveries.
class progress : public std::enable_shared_from_this<progress> {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  progress(std::shared_ptr<link> over, const std::shared_ptr<worker>& by,
           std::chrono::nanoseconds ack_wait);

  /// One delivery in the list. Its topic must live until it was removed, or is destroyed.
  class entry {
   public:
    entry(std::shared_ptr<progress> in, const std::string& ack_topic);
    ~entry() { remove(); }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

    /// Nothing is told of it when this has returned.
    void remove() noexcept;

   private:
    friend class progress;
    const std::shared_ptr<progress> in_;
    const std::string& ack_topic_;
    entry* before_ = nullptr;
    entry* after_ = nullptr;
    time_point due_;
    bool is_listed_ = true;
  };

  [[nodiscard]] const std::shared_ptr<link>& over() const noexcept { return over_; }

 private:
  // With the lock.
  void append(entry& added) noexcept;
  void unlink(entry& removed) noexcept;
  void look_at(const std::shared_ptr<worker>& by, time_point when);

  // For the worker.
  void look() noexcept;

  const std::shared_ptr<link> over_;
  const std::weak_ptr<worker> by_;  // the transport's, which may have gone
  const std::chrono::nanoseconds period_;
  const std::chrono::nanoseconds between_looks_;
  std::mutex mutex_;  // of what follows
  entry* first_ = nullptr;
  entry* last_ = nullptr;
  bool looks_ = false;  // the worker has a job of this
};

}  // namespace msgbus::nats
