#pragma once

/// A message of JetStream that waits to be settled, and those that tell the server that it is still
/// being handled, as long as it lives unsettled.

#include "connection.hpp"
#include "message.hpp"

#include <msgbus/transport/delivery.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace msgbus::nats {

/// The deliveries of one source that are not settled. The connection's thread tells the server of
/// each, every third of the server's patience: the executor of those who handle them may be busy
/// for long. There is no timer for each delivery: since the patience is the same for all, the list
/// is in the order of time. Thread-safe; owned by shared pointer, by the source and its deliveries.
class progress : public std::enable_shared_from_this<progress> {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  progress(std::shared_ptr<connection> over, std::chrono::nanoseconds ack_wait);

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

  [[nodiscard]] const std::shared_ptr<connection>& over() const noexcept { return over_; }

 private:
  // With the lock.
  void append(entry& added) noexcept;
  void unlink(entry& removed) noexcept;
  void look_at(time_point when);

  // For the connection's thread.
  void look() noexcept;

  const std::shared_ptr<connection> over_;
  const std::chrono::nanoseconds period_;
  const std::chrono::nanoseconds between_looks_;
  std::mutex mutex_;  // of what follows
  entry* first_ = nullptr;
  entry* last_ = nullptr;
  bool looks_ = false;  // the thread has a job of this
};

/// Whether a message with this reply topic is one of a stream's.
[[nodiscard]] bool is_delivery(const char* reply_to) noexcept;

/// What the topic of its acknowledgement says of it.
struct delivered {
  unsigned times = 1;
  std::uint64_t sequence = 0;
};
[[nodiscard]] delivered read_ack_topic(std::string_view ack_topic) noexcept;

/// It is in progress until it is settled or destroyed. Throws `std::bad_alloc` only.
[[nodiscard]] std::unique_ptr<transport::delivery> make_delivery(natsMsg* message,
                                                                 std::shared_ptr<progress> in);

/// Gives it back at once, so that others get it.
void give_back(connection& over, const char* ack_topic) noexcept;

}  // namespace msgbus::nats
