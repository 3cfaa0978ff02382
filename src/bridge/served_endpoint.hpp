#pragma once

// An operation that a link serves: the executor of its commands, and their counters.

#include <msgbus/detail/bridge/make_envelope.hpp>
#include <msgbus/detail/bridge/served.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/topic.hpp>

#include "bridge/discovery.hpp"
#include "exec/post_recycled.hpp"

#include <asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace msgbus::bridging {

/// One operation. Commands are posted to the executor of its service, for as long as that has a
/// context.
class served_endpoint final : private exec::context_shutdown_hook {
 public:
  served_endpoint(std::shared_ptr<const served_operation> serves, const std::string& prefix,
                  std::string in_group)
      : operation(std::move(serves)),
        topic(prefix + "." + operation->name),
        group(std::move(in_group)) {
    check_topic(topic);
    const asio::any_io_executor& wanted = operation->service->executor();
    if (link(wanted)) executor_ = wanted;
  }
  ~served_endpoint() { unlink_and_release(executor_); }

  /// False, and nothing is done, if the context of the service has ended.
  template <class F>
  [[nodiscard]] bool post(F& function) {
    // Under the lock: so long the context cannot end.
    const std::lock_guard lock(posting_);
    if (!executor_) return false;
    exec::post_recycled(executor_, std::move(function));
    return true;
  }

  /// By when a command must have ended, as its caller says.
  [[nodiscard]] std::optional<exec::clock::time_point> deadline_of(const headers& asked) {
    const std::optional<std::chrono::milliseconds> left = time_left_in(asked);
    if (!left) return std::nullopt;
    const std::lock_guard lock(posting_);  // see `post`
    if (!executor_) return std::nullopt;
    return detail::saturating_add(exec::now(executor_),
                                  std::chrono::duration_cast<exec::clock::duration>(*left));
  }

  void ended(std::chrono::nanoseconds took, const std::string& error_text) {
    const std::lock_guard lock(mutex_);
    ++stats_.requests;
    stats_.processing += took;
    if (error_text.empty()) return;
    ++stats_.errors;
    stats_.last_error = error_text;
  }
  [[nodiscard]] endpoint_stats now() const {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  const std::shared_ptr<const served_operation> operation;
  const std::string topic;
  const std::string group;

 private:
  void context_ended() noexcept override {
    asio::any_io_executor released;  // after the lock
    const std::lock_guard lock(posting_);
    released.swap(executor_);
  }

  std::mutex posting_;
  asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  endpoint_stats stats_;
};

}  // namespace msgbus::bridging
