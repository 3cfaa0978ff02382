#pragma once

/// The times of a component's messages: the wait in the mailbox, and the run of each handler.

#include <msgbus/detail/observe/duration_histogram.hpp>
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

/// Histograms by key. To find one, a thread takes no lock and writes nothing; it holds a guard of
/// the component's domain. A new key takes a lock, which a scrape does not take.
///
/// A series stays. When its handler is detached, the next handler of the same name continues it. So
/// the number of series is that of simultaneous handlers, not of all handlers so far.
class times_table {
 public:
  times_table();
  times_table(const times_table&) = delete;
  times_table& operator=(const times_table&) = delete;
  ~times_table();

  /// Null: the key is new.
  [[nodiscard]] duration_histogram* find(times_key key) const noexcept;

  /// Adds a key, unless another thread has added it: `is_new` says who has. Two handlers of one
  /// name at a time are told apart by a number.
  struct addition {
    duration_histogram& times;
    bool is_new;
  };
  [[nodiscard]] addition add(const snapshot::domain& guarded, times_key key, times_names names);

  /// The handler of the key was detached.
  void remove(times_key key) noexcept;

  struct figures {
    times_names names;
    duration_figures times;
  };
  /// All series, in the order in which they were added.
  [[nodiscard]] std::vector<figures> read() const;

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

  times_table waits;    // from the acceptance of a message to its first handler
  times_table handles;  // of one handler, from its call to its end

 private:
  std::atomic<std::uint32_t> sample_;
};

}  // namespace msgbus::detail
