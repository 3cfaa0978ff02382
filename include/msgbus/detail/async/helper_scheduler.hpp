#pragma once

/// Work sharing for verbs with several runs to await, if they are suspended.

#include <asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::async::detail {

class work_source {
 public:
  /// Takes one piece of the work, if any is left. A source without work unregisters itself.
  virtual void help() = 0;

 protected:
  ~work_source() = default;
};

/// One per component. At most one helper call is pending on its executor, however many sources ask
/// and however often: in a loop that never yields, nothing accumulates. Thread-safe.
class helper_scheduler {
 public:
  /// Takes work from the source, on the executor, until the source is removed. `keep` owns this
  /// object.
  void add(const asio::any_io_executor& on, std::shared_ptr<work_source> source,
           const std::shared_ptr<const void>& keep);
  void remove(const work_source& source) noexcept;

 private:
  void post(const asio::any_io_executor& on, std::shared_ptr<const void> keep);
  bool run();

  std::mutex mutex_;
  std::vector<std::shared_ptr<work_source>> sources_;
  bool posted_ = false;
};

}  // namespace msgbus::async::detail
