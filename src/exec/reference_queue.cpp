#include <msgbus/detail/exec/reference_queue.hpp>

#include <concurrentqueue.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <utility>

namespace msgbus::exec {

namespace {

// With more, counts could not be compared as signed numbers.
constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 4;

/// For several consumer loops. Without keys the messages have no order (A5).
class spread_queue final : public reference_queue {
 public:
  explicit spread_queue(std::size_t capacity)
      : capacity_(static_cast<std::int64_t>(std::min(capacity, most))), queue_(64) {}

  bool try_push(shared_message& message, keyed_ptr& key, shared_message&,
                std::size_t reserved) override {
    const std::int64_t capacity = capacity_ - static_cast<std::int64_t>(std::min(reserved, most));
    // The message is counted before it is enqueued, so the loops never take more than was counted.
    // If this returns false, the queue was full when `popped_` was read: `pushed` messages had been
    // pushed before that. The comparison is signed, since other senders may have pushed, and loops
    // popped, more than `pushed`.
    std::uint64_t pushed = pushed_.load(std::memory_order_seq_cst);
    do {
      const std::uint64_t popped = popped_.load(std::memory_order_seq_cst);
      if (static_cast<std::int64_t>(pushed - popped) >= capacity) return false;
    } while (!pushed_.compare_exchange_weak(pushed, pushed + 1, std::memory_order_seq_cst));
    if (key) {
      key->message = std::move(message);
      const std::lock_guard lock(mutex_);
      keys_.add(std::move(key));
      show_keys();
    } else if (!queue_.enqueue(std::move(message))) {
      pushed_.fetch_sub(1, std::memory_order_seq_cst);
      throw std::bad_alloc();
    }
    return true;
  }

  shared_message pop(keyed_ptr& key) override {
    if (has_keys_.load(std::memory_order_acquire)) return pop_keyed(key);
    return pop_spread();
  }

  void release(keyed_ptr key) noexcept override {
    const std::lock_guard lock(mutex_);
    keys_.release(*key);
    show_keys();
  }

  std::size_t takeable() const noexcept override {
    if (!has_keys_.load(std::memory_order_acquire)) return size();
    return ready_.load(std::memory_order_seq_cst) + without_keys();
  }
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
  bool begin_keys() noexcept override {
    has_keys_.store(true, std::memory_order_release);
    return true;
  }

  shared_message pop_spread() {
    shared_message found;
    if (queue_.try_dequeue(found)) popped_.fetch_add(1, std::memory_order_seq_cst);
    return found;
  }
  shared_message pop_keyed(keyed_ptr& key) {
    // Messages from before the first rule go first.
    if (without_keys() != 0) [[unlikely]] {
      if (shared_message found = pop_spread()) return found;
    }
    if (ready_.load(std::memory_order_seq_cst) == 0) return nullptr;
    const std::lock_guard lock(mutex_);
    key = keys_.take();
    if (!key) return nullptr;
    popped_.fetch_add(1, std::memory_order_seq_cst);
    show_keys();
    return std::move(key->message);
  }

  /// How many messages are counted and do not wait with a key: sent before the rules, or about to
  /// arrive. At times more.
  [[nodiscard]] std::size_t without_keys() const noexcept {
    // In this order: each is counted in the second before the first, and leaves it later.
    const std::size_t keyed = waiting_.load(std::memory_order_seq_cst);
    const std::size_t all = size();
    return all > keyed ? all - keyed : 0;
  }
  void show_keys() noexcept {
    ready_.store(keys_.ready(), std::memory_order_seq_cst);
    waiting_.store(keys_.waiting(), std::memory_order_seq_cst);
  }

  const std::int64_t capacity_;
  std::atomic<std::uint64_t> pushed_{0};
  std::atomic<std::uint64_t> popped_{0};
  std::atomic<bool> has_keys_{false};
  // Of the keys, for those without the lock.
  std::atomic<std::size_t> ready_{0};
  std::atomic<std::size_t> waiting_{0};
  moodycamel::ConcurrentQueue<shared_message> queue_;

  std::mutex mutex_;
  key_order keys_;
};

/// A queue with a lock, in order (A4): for `drop_oldest`, where senders remove messages too.
class locked_queue final : public reference_queue {
 public:
  locked_queue(std::size_t capacity, bool for_one_loop)
      : capacity_(capacity), for_one_loop_(for_one_loop) {}

  bool try_push(shared_message& message, keyed_ptr& key, shared_message& displaced,
                std::size_t reserved) override {
    keyed_ptr dropped;  // destroyed without the lock
    if (key) key->message = std::move(message);
    const std::lock_guard lock(mutex_);
    if (key) {
      keys_.add(std::move(key));
    } else {
      queue_.push_back(std::move(message));
    }
    ++accepted_;
    if (waiting() + reserved <= capacity_) return true;
    // It may be the message itself, if no older one waits here.
    if (!queue_.empty()) {
      displaced = std::move(queue_.front());
      queue_.pop_front();
    } else {
      dropped = keys_.drop_oldest();
      displaced = std::move(dropped->message);
    }
    return true;
  }

  shared_message pop(keyed_ptr& key) override {
    const std::lock_guard lock(mutex_);
    if (!queue_.empty()) {
      shared_message found = std::move(queue_.front());
      queue_.pop_front();
      return found;
    }
    key = keys_.take();
    return key ? std::move(key->message) : nullptr;
  }

  void release(keyed_ptr key) noexcept override {
    const std::lock_guard lock(mutex_);
    keys_.release(*key);
  }

  std::size_t takeable() const noexcept override {
    const std::lock_guard lock(mutex_);
    return queue_.size() + keys_.ready();
  }
  std::size_t size() const noexcept override {
    const std::lock_guard lock(mutex_);
    return waiting();
  }
  std::uint64_t accepted() const noexcept override {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

 private:
  bool begin_keys() noexcept override { return !for_one_loop_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size() + keys_.waiting(); }

  const std::size_t capacity_;
  const bool for_one_loop_;
  mutable std::mutex mutex_;
  std::deque<shared_message> queue_;  // those without a key; they came before the others
  key_order keys_;
  std::uint64_t accepted_ = 0;
};

}  // namespace

void reference_queue::order_by(const routing::domain& guarded,
                               std::shared_ptr<const key_rule> rule) {
  if (begin_keys()) rules_.add(guarded, std::move(rule));
}

std::unique_ptr<reference_queue> make_reference_queue(const mailbox_options& options) {
  const std::size_t capacity = options.capacity == 0 ? 1 : options.capacity;
  if (options.on_full == overflow::drop_oldest) {
    return std::make_unique<locked_queue>(capacity, options.concurrency <= 1);
  }
  if (options.concurrency > 1) return std::make_unique<spread_queue>(capacity);
  return nullptr;
}

}  // namespace msgbus::exec
