#pragma once

// The thread that writes: it takes jobs, and commits many of them together.

#include <msgbus/detail/exec/one_shot_event.hpp>

#include "durable/outbox.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace msgbus::durable::detail {

/// A change of the file, which is committed with others or fails alone. Its functions are called on
/// the writer thread. `run` may be called again, if the group was lost.
class job {
 public:
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Whether it counts for the size of its group.
  [[nodiscard]] virtual bool is_transaction() const noexcept { return false; }
  virtual void run(outbox& in) = 0;
  /// One of the two, once: the change is in the file, or nothing of it is. A coroutine that waits
  /// for the commit goes on with the others of its group, once all have been told.
  virtual void committed(exec::event_batch& waiting) noexcept = 0;
  virtual void failed(const std::exception_ptr& why) noexcept = 0;

  /// Whether it has a transaction of its own: then `run` begins and ends it, and calls one of the
  /// two.
  [[nodiscard]] virtual bool is_exclusive() const noexcept { return false; }
  /// Ends an exclusive job early. For any thread.
  virtual void abort() noexcept {}
};

/// The owner of the writer, as the writer calls it on the writer thread.
class writer_host {
 public:
  /// The job for messages that are due; and one to repeat what has failed, and to clean up.
  [[nodiscard]] virtual std::shared_ptr<job> release_due() = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point release_not_before()
      const noexcept = 0;
  virtual void look_after() noexcept = 0;
  /// All jobs that were committed together have been told. They are destroyed afterwards.
  virtual void group_ended() noexcept = 0;
  /// How long after the last `look_after` the next one is wanted.
  [[nodiscard]] virtual std::chrono::steady_clock::duration look_again_after() const noexcept = 0;
  virtual void report(const char* where, const std::exception_ptr& why) noexcept = 0;

 protected:
  ~writer_host() = default;
};

class writer {
 public:
  using errand = std::function<void(outbox&)>;
  enum class urgency { now, soon };

  using opened_function = std::function<void(const std::exception_ptr&)>;

  writer(const open_options& options, writer_host& host) : options_(options), host_(host) {}
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer() { stop(); }

  /// Once: opens the file on a new thread, and tells `opened`: null, or why not. The writer has
  /// then ended.
  void start(opened_function opened);

  /// False if it has stopped: the job was not taken.
  bool submit(std::shared_ptr<job> added, urgency when);
  /// Something between two groups, outside of a transaction. False if it has stopped.
  bool call(errand added);

  /// Accepts no more, commits everything that was accepted, and ends the thread. Not for the writer
  /// thread.
  void stop() noexcept;

  /// How many transactions SQLite has committed for jobs.
  [[nodiscard]] std::uint64_t commits() const noexcept {
    return commits_.load(std::memory_order_relaxed);
  }
  /// The bounds of the sizes of groups: at most so many transactions; and how many commits had
  /// each. Those of more are behind the last one, those without any nowhere.
  static constexpr std::array<std::size_t, 5> size_bounds{1, 4, 16, 64, 256};
  using size_counts = std::array<std::uint64_t, size_bounds.size() + 1>;
  [[nodiscard]] size_counts sizes() const noexcept;

 private:
  using clock = std::chrono::steady_clock;
  using jobs = std::vector<std::shared_ptr<job>>;
  struct work {
    jobs group;
    std::vector<errand> errands;
    bool is_due = false;
    bool is_time_to_look = false;
    bool is_over = false;
  };

  /// For how long, and for how many transactions, a group is waited for: those that were committed
  /// together come again together, if their coroutines go on with the next one.
  struct gathering {
    std::size_t size = 0;      // of the group before
    clock::duration commit{};  // its time
  };

  /// Whether the jobs of a group are kept apart. Without, the first that fails takes all with it,
  /// and they are run again.
  enum class savepoints { none, each };

  /// What has become of a group.
  struct attempt {
    std::vector<std::exception_ptr> results = {};  // of those that were tried; the rest has to wait
    std::size_t transactions = 0;
    bool has_begun = false;
    bool one_has_failed = false;   // without savepoints
    std::exception_ptr lost = {};  // why nothing of it is in the file
  };

  void run(const opened_function& opened);
  void loop(outbox& in);
  [[nodiscard]] work take(const outbox& in);
  /// Waits for the next job without a sleep, and without the lock, for a short time.
  void watch(std::unique_lock<std::mutex>& lock);
  void take_urgent(jobs& into, std::size_t most);
  void take_lazy(jobs& into);
  [[nodiscard]] std::size_t most_together() const noexcept {
    return std::max<std::size_t>(options_.max_batch, 1);
  }
  void commit_group(outbox& in, jobs group);
  /// Takes more jobs into the group while it is open, if it has no savepoints.
  [[nodiscard]] attempt try_to_commit(outbox& in, jobs& group, savepoints kept);
  void run_group(outbox& in, jobs& group, savepoints kept, attempt& into);
  /// Runs those that have no result. Throws if the group was lost. False: no time is left.
  bool run_rest(outbox& in, const jobs& group, savepoints kept, clock::time_point until,
                attempt& into);
  static std::exception_ptr run_one(outbox& in, job& one, savepoints kept);
  /// False: none came.
  [[nodiscard]] bool take_more(jobs& group, std::size_t transactions, clock::time_point until);
  void count_commit(std::size_t transactions) noexcept;
  void tell(jobs group, const attempt& of);
  void give_back(std::span<const std::shared_ptr<job>> rest);
  [[nodiscard]] clock::time_point next_wake(const outbox& in, clock::time_point now) const;

  const open_options options_;
  writer_host& host_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<job>> urgent_;  // these: under the mutex
  std::vector<std::shared_ptr<job>> lazy_;
  std::vector<errand> errands_;
  clock::time_point lazy_since_;
  std::shared_ptr<job> exclusive_;  // that runs now
  gathering before_;
  std::size_t wake_at_ = 1;  // wake the thread when so many are urgent
  bool stopping_ = false;
  std::atomic<std::size_t> came_{0};  // changed under the mutex; read without it by `watch`
  clock::time_point looked_at_{};     // for the writer thread; the first look is at once
  std::atomic<std::uint64_t> commits_{0};
  std::array<std::atomic<std::uint64_t>, size_bounds.size() + 1> sizes_{};
  std::thread thread_;
};

}  // namespace msgbus::durable::detail
