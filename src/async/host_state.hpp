#pragma once

/// The state that a host and its `run` share: docs/design/0026-host.md.

#include <msgbus/async/host_report.hpp>
#include <msgbus/detail/async/host_member.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>

#include "async/host_machine.hpp"
#include "exec/task_group.hpp"

#include <asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::async::detail {

using host_members = std::vector<std::shared_ptr<host_member>>;

/// Thread-safe.
class host_state final : private exec::context_shutdown_hook {
 public:
  explicit host_state(const asio::any_io_executor& executor);
  /// Of members without a host.
  explicit host_state(host_members all) : members_(std::move(all)) {}
  ~host_state() { unlink_and_release(executor_); }

  /// Empty if its context was destroyed.
  [[nodiscard]] asio::any_io_executor executor() const;

  void add(std::shared_ptr<host_member> added);
  [[nodiscard]] host_members all() const;

  void stop() noexcept;
  void stop_now() noexcept;
  /// A stop; or, if the host is stopped already, no more time.
  void signalled() noexcept;
  [[nodiscard]] bool is_stopped() const noexcept;
  void host_destroyed() noexcept;
  [[nodiscard]] host_progress progress() const noexcept;

  // For the coroutine of `run`.

  [[nodiscard]] bool begin(host_machine::duration deadline);
  [[nodiscard]] asio::awaitable<void> until_stopped() { return stopped_.wait(); }
  /// The next step, which `group` will run: from now on it may be cancelled.
  struct next_step {
    host_machine::step step;
    std::shared_ptr<host_member> member;
  };
  [[nodiscard]] next_step next(host_machine::time_point now,
                               const std::shared_ptr<exec::task_group>& group);
  [[nodiscard]] bool hurried() const;
  void ended(bool interrupted);
  void give_up();
  [[nodiscard]] host_machine::duration took(host_machine::time_point now) const;

  std::mutex& mutex() noexcept { return mutex_; }

 private:
  void context_ended() noexcept override;

  mutable std::mutex mutex_;
  asio::any_io_executor executor_;
  host_machine machine_;
  host_members members_;
  bool host_destroyed_ = false;
  std::shared_ptr<exec::task_group> running_;  // the step
  exec::one_shot_event stopped_;
};

}  // namespace msgbus::async::detail
