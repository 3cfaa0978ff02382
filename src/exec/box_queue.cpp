#include <msgbus/detail/exec/box_queue.hpp>

#include <concurrentqueue.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>

namespace msgbus::exec {

namespace {

// With more, counts could not be compared as signed numbers.
constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 4;

/// For several consumer loops, without an order (A5).
class spread_queue final : public box_queue {
 public:
  explicit spread_queue(std::size_t capacity)
      : capacity_(static_cast<std::int64_t>(std::min(capacity, most))), queue_(64) {}

  bool try_push(shared_message& message, shared_message&) override {
    // The message is counted before it is enqueued, so the loops never take more than was counted.
    // If this returns false, the queue was full when `popped_` was read: `pushed` messages had been
    // pushed before that. The comparison is signed, since other senders may have pushed, and loops
    // popped, more than `pushed`.
    std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    do {
      const std::uint64_t popped = popped_.load(std::memory_order_seq_cst);
      if (static_cast<std::int64_t>(pushed - popped) >= capacity_) return false;
    } while (!pushed_.compare_exchange_weak(pushed, pushed + 1, std::memory_order_seq_cst));
    if (!queue_.enqueue(std::move(message))) {
      pushed_.fetch_sub(1, std::memory_order_seq_cst);
      throw std::bad_alloc();
    }
    return true;
  }

  shared_message pop() override {
    shared_message found;
    if (queue_.try_dequeue(found)) popped_.fetch_add(1, std::memory_order_seq_cst);
    return found;
  }

  bool ready() const noexcept override { return size() != 0; }
  std::size_t size() const noexcept override {
    // In this order: a message is pushed before it is popped.
    const std::uint64_t popped = popped_.load(std::memory_order_seq_cst);
    const std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    // The two are read one after the other, so the difference may exceed the number of messages.
    return static_cast<std::size_t>(
        std::min(pushed - popped, static_cast<std::uint64_t>(capacity_)));
  }
  std::uint64_t accepted() const noexcept override {
    return pushed_.load(std::memory_order_acquire);
  }

 private:
  const std::int64_t capacity_;
  std::atomic<std::uint64_t> pushed_{0};
  std::atomic<std::uint64_t> popped_{0};
  moodycamel::ConcurrentQueue<shared_message> queue_;
};

/// A queue with a lock, in order (A4): for `drop_oldest`, where senders remove messages too.
class locked_queue final : public box_queue {
 public:
  explicit locked_queue(std::size_t capacity) : capacity_(capacity) {}

  bool try_push(shared_message& message, shared_message& displaced) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(message));
    ++accepted_;
    if (queue_.size() > capacity_) {
      displaced = std::move(queue_.front());
      queue_.pop_front();
    }
    return true;
  }

  shared_message pop() override {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return nullptr;
    shared_message found = std::move(queue_.front());
    queue_.pop_front();
    return found;
  }

  bool ready() const noexcept override { return size() != 0; }
  std::size_t size() const noexcept override {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }
  std::uint64_t accepted() const noexcept override {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<shared_message> queue_;
  std::uint64_t accepted_ = 0;
};

}  // namespace

std::unique_ptr<box_queue> make_box_queue(const mailbox_options& options) {
  const std::size_t capacity = options.capacity == 0 ? 1 : options.capacity;
  if (options.on_full == overflow::drop_oldest) return std::make_unique<locked_queue>(capacity);
  if (options.concurrency > 1) return std::make_unique<spread_queue>(capacity);
  return nullptr;
}

}  // namespace msgbus::exec
