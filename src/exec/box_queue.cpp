#include <msgbus/exec/box_queue.hpp>

#include <concurrentqueue.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>

namespace msgbus::exec {

namespace {

// Beyond it counts could not be compared as signed numbers.
constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 4;

// A ring has a slot for each message that may wait, and asks the system for all of them at once.
constexpr std::size_t most_slots = std::size_t{1} << 20;

/// For several lanes: nothing is promised of the order (A5).
class spread_queue final : public box_queue {
 public:
  explicit spread_queue(std::size_t capacity)
      : capacity_(static_cast<std::int64_t>(std::min(capacity, most))), queue_(64) {}

  ~spread_queue() override {
    carried* each = nullptr;
    while (queue_.try_dequeue(each)) delete each;
  }

  bool try_push(owned_message& message, owned_message&) override {
    // Counted before it is there: the lanes never take more than was counted. Full only if it was
    // when `popped_` was read: at least so many had been pushed then. As signed numbers: more may
    // have been, and been popped.
    std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    do {
      const std::uint64_t popped = popped_.load(std::memory_order_seq_cst);
      if (static_cast<std::int64_t>(pushed - popped) >= capacity_) return false;
    } while (!pushed_.compare_exchange_weak(pushed, pushed + 1, std::memory_order_seq_cst));
    if (!queue_.enqueue(message.get())) {
      pushed_.fetch_sub(1, std::memory_order_seq_cst);
      throw std::bad_alloc();
    }
    (void)message.release();
    return true;
  }

  owned_message pop() override {
    carried* found = nullptr;
    if (!queue_.try_dequeue(found)) return nullptr;
    popped_.fetch_add(1, std::memory_order_seq_cst);
    return owned_message(found);
  }

  bool ready() const noexcept override { return size() != 0; }
  std::size_t size() const noexcept override {
    // In this order: what was popped was pushed before.
    const std::uint64_t popped = popped_.load(std::memory_order_seq_cst);
    const std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    // Looked at in two moments: the difference may be more than ever waited.
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
  moodycamel::ConcurrentQueue<carried*> queue_;
};

/// A lock and a queue, in order (A4): for `drop_oldest`, where senders take out as well, and for a
/// capacity that no ring should have slots for.
class locked_queue final : public box_queue {
 public:
  locked_queue(std::size_t capacity, bool displaces) : capacity_(capacity), displaces_(displaces) {}

  bool try_push(owned_message& message, owned_message& displaced) override {
    const std::lock_guard lock(mutex_);
    if (!displaces_ && queue_.size() >= capacity_) return false;
    queue_.push_back(std::move(message));
    ++accepted_;
    if (queue_.size() > capacity_) {
      displaced = std::move(queue_.front());
      queue_.pop_front();
    }
    return true;
  }

  owned_message pop() override {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return nullptr;
    owned_message found = std::move(queue_.front());
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
  const bool displaces_;
  mutable std::mutex mutex_;
  std::deque<owned_message> queue_;
  std::uint64_t accepted_ = 0;
};

}  // namespace

std::unique_ptr<box_queue> make_box_queue(const mailbox_options& options) {
  const std::size_t capacity = options.capacity == 0 ? 1 : options.capacity;
  const bool displaces = options.on_full == overflow::drop_oldest;
  if (displaces) return std::make_unique<locked_queue>(capacity, displaces);
  if (options.concurrency > 1) return std::make_unique<spread_queue>(capacity);
  if (capacity > most_slots) return std::make_unique<locked_queue>(capacity, displaces);
  return nullptr;
}

}  // namespace msgbus::exec
