#pragma once

/// The runs of one call that run at the same time, or not in the caller's coroutine.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/helper_scheduler.hpp>
#include <msgbus/detail/async/verb_call.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include "exec/join_state.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

namespace msgbus::async::detail {

/// Each run is either a task, or it has begun on the caller's executor and is still to be taken: by
/// the caller, one after the other, or by a helper, which makes it a task. Taking is done under the
/// lock.
class concurrent_runs final : public exec::join_state, public work_source {
 public:
  struct part final : exec::task {
    part(std::shared_ptr<component_core> of, std::size_t at)
        : component(std::move(of)), index(at) {}
    asio::awaitable<void> begin() override;
    void lose() noexcept override { d->cut_off(); }
    /// Whether its coroutine is cancelled when the time of its first handler is over.
    [[nodiscard]] bool is_limited() const noexcept { return d->current == surrounded::by_time; }

    const std::shared_ptr<component_core> component;
    const std::size_t index;           // of the component, among those that got the message
    std::optional<component_run> own;  // unless it is the call's first
    component_run* d = nullptr;
    bool has_begun = false;  // on the caller's executor
    bool is_task = false;
  };

  concurrent_runs(call_ptr<verb_call> of, std::size_t capacity);
  ~concurrent_runs();

  /// For the caller, before anything is started.
  part& add(std::shared_ptr<component_core> component, std::size_t index, bool has_begun);

  /// Starts those that do not run in the caller's coroutine.
  void start_tasks(const asio::any_io_executor& here, bool cancellable);

  /// The next run for the caller to await; null if none is left.
  [[nodiscard]] component_run* take(const asio::any_io_executor& here);
  [[nodiscard]] component_run* take_next();
  /// The caller has none to take any more, or is destroyed.
  void leave() noexcept;

  /// For the caller, once it has taken all.
  [[nodiscard]] bool has_tasks() const noexcept { return has_tasks_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] part& operator[](std::size_t index) noexcept {
    return index == 0 ? *first_ : others_[index - 1];
  }

 private:
  void help() override;
  void stop_helpers() noexcept;
  [[nodiscard]] bool more_locked() noexcept;
  [[nodiscard]] part* take_locked() noexcept;

  const call_ptr<verb_call> call_;
  exec::recycled_memory memory_;
  std::size_t size_ = 0;
  std::optional<part> first_;
  part* others_ = nullptr;

  mutable std::mutex mutex_;
  std::size_t next_ = 0;        // under the lock: those before it were taken
  asio::any_io_executor here_;  // under the lock: the caller's, while helpers are asked for
  bool has_tasks_ = false;      // under the lock, until all are taken
  component_core* helpers_of_ = nullptr;  // the caller's
};

}  // namespace msgbus::async::detail
