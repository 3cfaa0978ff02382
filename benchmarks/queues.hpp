#pragma once

/// Queues from one thread to another. Most of them one has to look into: nobody is woken by them,
/// so they show what the crossing from one core to another costs, and are no peers.

#include "across.hpp"

#include <concurrentqueue.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#ifdef MSGBUS_BENCH_WITH_LOCKFREE
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#endif
#ifdef MSGBUS_BENCH_WITH_TBB
#include <tbb/concurrent_queue.h>
#endif

namespace bench {

/// A `Queue` has `put(event)` for senders, and `take(handle)` for the receiver, which says whether
/// there was anything.
template <class Queue>
class looked_into {
 public:
  static constexpr const char* name = Queue::name;
  static constexpr role what = Queue::what;

  looked_into(tally& count, unsigned /*producers*/, unsigned core)
      : receiver_(core, count, [this, &count] {
          patience with;
          while (count.is_due()) {
            if (queue_.take([&count](const order_created& event) { count.handled(event); })) {
              with = {};
            } else {
              with.wait();
            }
          }
        }) {}

  void send(unsigned /*producer*/, const order_created& event) { queue_.put(event); }
  void wake() { receiver_.wake(); }

 private:
  Queue queue_;
  looker receiver_;
};

/// As it comes: unbounded, and without tokens, which senders that come and go do not have.
struct moodycamel {
  static constexpr const char* name = "moodycamel::ConcurrentQueue, polled";
  static constexpr role what = role::baseline;

  void put(const order_created& event) { queue.enqueue(event); }
  template <class F>
  bool take(F handle) {
    order_created event;
    if (!queue.try_dequeue(event)) return false;
    handle(event);
    return true;
  }

  ::moodycamel::ConcurrentQueue<order_created> queue;
};

/// What one writes by hand: the receiver takes all that is there at once, by exchanging the vector
/// for an empty one, and sleeps if there is nothing.
class swapped_vector {
 public:
  static constexpr const char* name = "mutex, vector swapped, condition variable";
  static constexpr role what = role::baseline;

  swapped_vector(tally& count, unsigned /*producers*/, unsigned core)
      : receiver_([this, &count, core] {
          stay_on(core);
          receive(count);
        }) {}
  ~swapped_vector() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    filled_.notify_one();
    receiver_.join();
  }
  swapped_vector(const swapped_vector&) = delete;

  void send(unsigned /*producer*/, const order_created& event) {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = incoming_.empty();
      incoming_.push_back(event);
    }
    if (was_empty) filled_.notify_one();
  }

 private:
  void receive(tally& count) {
    std::vector<order_created> taken;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return over_ || !incoming_.empty(); });
        if (incoming_.empty()) return;
        taken.swap(incoming_);
      }
      for (const order_created& each : taken) count.handled(each);
      taken.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable filled_;
  bool over_ = false;
  std::vector<order_created> incoming_;
  std::thread receiver_;  // last: it uses the others
};

#ifdef MSGBUS_BENCH_WITH_LOCKFREE
/// For one producer. Bounded, as it must be, with as many places as a mailbox has by default.
struct lockfree_spsc {
  static constexpr const char* name = "Boost.Lockfree spsc_queue, polled";
  static constexpr role what = role::reference;

  void put(const order_created& event) {
    patience with;
    while (!queue.push(event)) with.wait();
  }
  template <class F>
  bool take(F handle) {
    return queue.consume_one(handle);
  }

  boost::lockfree::spsc_queue<order_created, boost::lockfree::capacity<1024>> queue;
};

/// For any number of producers. Its list of free nodes grows as it must.
struct lockfree_queue {
  static constexpr const char* name = "Boost.Lockfree queue, polled";
  static constexpr role what = role::reference;

  void put(const order_created& event) { queue.push(event); }
  template <class F>
  bool take(F handle) {
    return queue.consume_one(handle);
  }

  boost::lockfree::queue<order_created> queue{1024};
};
#endif

#ifdef MSGBUS_BENCH_WITH_TBB
struct tbb_queue {
  static constexpr const char* name = "TBB concurrent_queue, polled";
  static constexpr role what = role::reference;

  void put(const order_created& event) { queue.push(event); }
  template <class F>
  bool take(F handle) {
    order_created event;
    if (!queue.try_pop(event)) return false;
    handle(event);
    return true;
  }

  tbb::concurrent_queue<order_created> queue;
};

/// Its receiver sleeps until something is there, so that it is a peer. Bounded as a mailbox is by
/// default; a sender that finds it full waits.
class tbb_bounded_queue {
 public:
  static constexpr const char* name = "TBB concurrent_bounded_queue";
  static constexpr role what = role::peer;

  tbb_bounded_queue(tally& count, unsigned /*producers*/, unsigned core) {
    queue_.set_capacity(1024);
    receiver_ = std::thread([this, &count, core] {
      stay_on(core);
      for (;;) {
        order_created event;
        queue_.pop(event);
        if (event.id == last) return;
        count.handled(event);
      }
    });
  }
  ~tbb_bounded_queue() {
    queue_.push({last, 0});
    receiver_.join();
  }
  tbb_bounded_queue(const tbb_bounded_queue&) = delete;

  void send(unsigned /*producer*/, const order_created& event) { queue_.push(event); }

 private:
  static constexpr std::uint64_t last = UINT64_MAX;

  tbb::concurrent_bounded_queue<order_created> queue_;
  std::thread receiver_;
};
#endif

}  // namespace bench
