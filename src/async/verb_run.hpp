#pragma once

/// What the coroutine of an awaited verb has besides its call: where it is with it.

#include <msgbus/async/detail/verb_call.hpp>
#include <msgbus/async/detail/concurrent_deliveries.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace msgbus::async::detail {

/// Lives in the coroutine's frame; an owner for `await_handlers`.
class verb_run {
 public:
  using result = std::size_t;
  static constexpr bool is_caller = true;

  explicit verb_run(std::shared_ptr<verb_call>&& mine) noexcept : call_(std::move(mine)) {}
  verb_run(verb_run&& other) noexcept : call_(std::move(other.call_)) {}  // before it begins
  verb_run& operator=(verb_run&&) = delete;
  ~verb_run() {
    if (together_) together_->leave();
  }

  // For calls and their targets, while they begin.

  /// Runs what need not be awaited of one component, and remembers the rest. `among`: how many get
  /// the message from here on; 0: nobody else gets it, and the call keeps the component.
  void deliver(core& to, std::size_t among);
  /// The same for the call's first delivery, which is there.
  void deliver_first(core& to);

  // For `await_handlers`.

  /// Whether there is something for the caller's coroutine to await.
  [[nodiscard]] bool begin(const asio::any_io_executor& here, bool cancellable);
  [[nodiscard]] delivery& in_hand() noexcept { return *in_hand_; }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure);
  [[nodiscard]] bool must_wait() const { return together_ && together_->has_tasks(); }
  [[nodiscard]] bool can_be_cancelled() const noexcept { return cancellable_; }
  [[nodiscard]] concurrent_deliveries& together() noexcept { return *together_; }
  [[nodiscard]] std::size_t ended(bool told_to_end);

 private:
  void prepare(delivery& d, std::size_t among) noexcept;
  [[nodiscard]] bool must_await(core& to, delivery& d, std::size_t index, bool is_here);
  void keep_waiting(core& to, delivery&& d, std::size_t index, bool is_here, std::size_t among);
  void make_together(std::size_t capacity);
  void settled(std::size_t index, const delivery& d);
  void failed(std::size_t index, std::exception_ptr failure);
  void settle_together();
  void throw_failures(bool told_to_end);

  const std::shared_ptr<verb_call> call_;
  const asio::any_io_executor* here_ = nullptr;  // the caller's, while it begins
  delivery* in_hand_ = nullptr;
  std::shared_ptr<concurrent_deliveries> together_;
  std::size_t count_ = 0;        // of components
  std::size_t first_index_ = 0;  // of the call's first delivery
  std::size_t ran_ = 0;
  bool cancellable_ = false;
  bool first_waits_ = false;
  bool first_is_here_ = false;
  bool refused_ = false;    // some subscriber has the topic and does not take the type
  bool cancelled_ = false;  // something was stopped
  std::vector<std::pair<std::size_t, std::exception_ptr>> failed_;  // by component
};

}  // namespace msgbus::async::detail
