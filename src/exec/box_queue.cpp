#include <msgbus/exec/box_queue.hpp>

#include <concurrentqueue.h>

#include <atomic>
#include <deque>
#include <mutex>

namespace msgbus::exec {

namespace {

/// For several lanes: nothing is promised of the order (A5).
class spread_queue final : public box_queue {
 public:
  explicit spread_queue(std::size_t capacity) : capacity_(capacity), queue_(64) {}

  ~spread_queue() override {
    carried* each = nullptr;
    while (queue_.try_dequeue(each)) delete each;
  }

  bool try_push(owned_message& message, owned_message&) override {
    // Counted before it is there: the lanes never take more than was counted.
    std::size_t waiting = waiting_.load(std::memory_order_seq_cst);
    do {
      if (waiting >= capacity_) return false;
    } while (!waiting_.compare_exchange_weak(waiting, waiting + 1, std::memory_order_seq_cst));
    if (!queue_.enqueue(message.get())) {
      waiting_.fetch_sub(1, std::memory_order_seq_cst);
      throw std::bad_alloc();
    }
    (void)message.release();
    accepted_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  owned_message pop() override {
    carried* found = nullptr;
    if (!queue_.try_dequeue(found)) return nullptr;
    waiting_.fetch_sub(1, std::memory_order_seq_cst);
    return owned_message(found);
  }

  bool ready() const noexcept override { return size() != 0; }
  std::size_t size() const noexcept override { return waiting_.load(std::memory_order_seq_cst); }
  std::uint64_t accepted() const noexcept override {
    return accepted_.load(std::memory_order_acquire);
  }

 private:
  const std::size_t capacity_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::uint64_t> accepted_{0};
  moodycamel::ConcurrentQueue<carried*> queue_;
};

/// For `drop_oldest`, where senders take out as well: a lock and a queue.
class latest_queue final : public box_queue {
 public:
  explicit latest_queue(std::size_t capacity) : capacity_(capacity) {}

  bool try_push(owned_message& message, owned_message& displaced) override {
    const std::lock_guard lock(mutex_);
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
  mutable std::mutex mutex_;
  std::deque<owned_message> queue_;
  std::uint64_t accepted_ = 0;
};

}  // namespace

std::unique_ptr<box_queue> make_box_queue(const mailbox_options& options) {
  const std::size_t capacity = options.capacity == 0 ? 1 : options.capacity;
  if (options.on_full == overflow::drop_oldest) return std::make_unique<latest_queue>(capacity);
  if (options.concurrency > 1) return std::make_unique<spread_queue>(capacity);
  return nullptr;
}

}  // namespace msgbus::exec
