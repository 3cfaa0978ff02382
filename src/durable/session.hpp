#pragma once

// A transaction with queries: it has the writer to itself. docs/design/0028.
//
// The coroutine asks, one request at a time, and the writer thread answers. States: waiting for its
// turn -> open -> over. Only the writer thread makes it open; it is over when the writer thread has
// committed it or rolled it back, and from then on requests are refused with the reason.

#include "durable/unit.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::durable::detail {

/// A query, with the statements before it.
struct query_request {
  std::vector<statement> before;
  statement query;
  std::vector<row> rows;  // set before `ended`
  completion ended;
};

class session final : public job {
 public:
  explicit session(std::chrono::steady_clock::duration longest) noexcept : longest_(longest) {}

  // For the coroutine.

  /// Ends the request once it is answered.
  void ask(std::shared_ptr<query_request> one);
  /// Commits, together with the statements and messages since the last query. Ends the unit.
  void commit(std::shared_ptr<unit> rest);
  /// Rolls back, without waiting; nothing if it is over.
  void give_up() noexcept { abort(); }
  /// The writer does not take it.
  void refuse(const std::exception_ptr& why) noexcept { end(why); }

  [[nodiscard]] bool is_exclusive() const noexcept override { return true; }
  void run(outbox& in) override;
  void committed(exec::event_batch&) noexcept override {}
  void failed(const std::exception_ptr& why) noexcept override { end(why); }
  void abort() noexcept override;

 private:
  struct work {
    std::shared_ptr<query_request> query;
    std::shared_ptr<unit> last;
  };
  /// Empty: the time is over, or it was given up.
  [[nodiscard]] work take(std::chrono::steady_clock::time_point until);
  void serve(outbox& in);
  [[nodiscard]] bool is_given_up();
  /// No request is taken from now on; those that wait are refused.
  void end(const std::exception_ptr& why) noexcept;

  const std::chrono::steady_clock::duration longest_;
  std::mutex mutex_;
  std::condition_variable changed_;
  work asked_;  // these: under the mutex
  bool given_up_ = false;
  std::exception_ptr over_;
};

}  // namespace msgbus::durable::detail
