#pragma once

/// The times of a component's messages: the wait in the mailbox, and the run of each handler.

#include <msgbus/detail/core/on_demand.hpp>
#include <msgbus/detail/observe/duration_histogram.hpp>
#include <msgbus/detail/observe/outcomes.hpp>
#include <msgbus/detail/routing/guard.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace msgbus::detail {

/// The key of a time: a type of messages and one handler, or the type alone.
struct times_key {
  const void* type;           // never null
  std::uint64_t handler = 0;  // the order of its attachment, which is never 0; 0: none

  friend auto operator<=>(const times_key&, const times_key&) = default;
};

/// The names of a series.
struct times_names {
  std::string message;
  std::string handler = {};
};

/// Calls of a handler that have begun and not ended, while somebody follows them.
class running_calls {
 public:
  void begin() noexcept { counts_.add(0); }
  void end() noexcept { counts_.add(1); }

  struct figures {
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
  };
  [[nodiscard]] figures read() const noexcept {
    const std::uint64_t ended = counts_.sum(1);
    return {counts_.sum(0), ended};
  }

 private:
  striped_counts<2> counts_;
};

/// One such call; it ends with this object.
class running_call {
 public:
  running_call() = default;
  explicit running_call(running_calls& of) noexcept : of_(&of) { of.begin(); }
  running_call(running_call&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  running_call& operator=(running_call&& other) noexcept {
    std::swap(of_, other.of_);
    return *this;
  }
  ~running_call() {
    if (of_) of_->end();
  }
  explicit operator bool() const noexcept { return of_ != nullptr; }

 private:
  running_calls* of_ = nullptr;
};

/// The times of one key.
struct times_series {
  void add(std::int64_t took, bool has_failed) { (has_failed ? failed.made() : times).add(took); }

  duration_histogram times = {};
  on_demand<duration_histogram> failed = {};  // runs that failed, which are not in `times`
  on_demand<running_calls> calls = {};        // since they were followed first
  /// Of a handler: the waits of its messages, once they were found.
  std::atomic<duration_histogram*> waits{nullptr};
};

/// Series by key. To find one, a thread takes no lock and writes nothing; it holds a guard of
/// the component's domain. A new key takes a lock, which a scrape does not take.
///
/// A series stays, as long as the table. When its handler is detached, the next handler of the same
/// name continues it. So the number of series is that of simultaneous handlers, not of all handlers
/// so far.
class times_table {
 public:
  times_table();
  times_table(const times_table&) = delete;
  times_table& operator=(const times_table&) = delete;
  ~times_table();

  /// Null: the key is new.
  [[nodiscard]] times_series* find(times_key key) const noexcept;

  /// Adds a key, unless another thread has added it: `is_new` says who has. Two handlers of one
  /// name at a time are told apart by a number.
  struct addition {
    times_series& series;
    bool is_new;
  };
  [[nodiscard]] addition add(const routing::domain& guarded, times_key key, times_names names);

  /// The handler of the key was detached.
  void remove(times_key key) noexcept;

  struct figures {
    times_names names;
    duration_figures times;
    duration_figures failed = {};  // of these, those of runs that failed
  };
  /// All series, in the order in which they were added.
  [[nodiscard]] std::vector<figures> read() const;

  struct followed {
    times_names names = {};
    duration_figures times = {};
    running_calls::figures calls = {};  // since they were followed first
  };
  [[nodiscard]] std::vector<followed> read_followed() const;

 private:
  struct series;
  struct slots;
  using keys = std::map<times_key, series*>;

  [[nodiscard]] series& series_for(times_names names);

  std::atomic<slots*> slots_;
  // A list that only grows.
  std::atomic<series*> first_{nullptr};
  std::atomic<series*>* end_ = &first_;  // under the lock, as is the rest
  std::mutex mutex_;
  keys keys_;
  std::map<std::pair<std::string, std::string>, std::vector<series*>> by_name_;
};

/// The measured times of one component, while a `metrics` wants them.
class handling_times : public std::enable_shared_from_this<handling_times> {
 public:
  explicit handling_times(std::uint32_t sample) noexcept : sample_(sample) {}

  /// One message in this number is measured.
  [[nodiscard]] std::uint32_t sample() const noexcept {
    return sample_.load(std::memory_order_relaxed);
  }
  void set_sample(std::uint32_t sample) noexcept {
    sample_.store(sample, std::memory_order_relaxed);
  }

  /// Whether the beginning of calls is noted too: while the number of followers is not 0.
  [[nodiscard]] bool is_followed() const noexcept {
    return followers_.load(std::memory_order_relaxed) != 0;
  }
  void follow() noexcept { followers_.fetch_add(1, std::memory_order_relaxed); }
  void follow_no_more() noexcept { followers_.fetch_sub(1, std::memory_order_relaxed); }

  times_table waits;    // from the acceptance of a message to its first handler
  times_table handles;  // of one handler, from its call to its end

 private:
  std::atomic<std::uint32_t> sample_;
  std::atomic<std::uint32_t> followers_{0};
};

}  // namespace msgbus::detail
