#pragma once

/// One message to several components, or to one that runs elsewhere.

#include <msgbus/async/detail/core.hpp>

#include <asio/this_coro.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace msgbus::async::detail {

using targets = std::vector<std::shared_ptr<core>>;

/// Awaits the delivery's handlers from where it is, in the coroutine that awaits this, until it is
/// settled. Throws nothing. For deliveries whose `advance` has said that there is something to
/// await; and for coroutines that cannot be cancelled, or that the library has spawned.
asio::awaitable<void> deliver_rest(delivery& d);

/// The same for a delivery that has begun in a coroutine which can be cancelled: the handlers get
/// one of their own. Uses the delivery up, and throws what failed, or Asio's `operation_aborted` if
/// it was stopped. `here` is the caller's executor.
asio::awaitable<std::size_t> deliver_apart(delivery& d, asio::any_io_executor here);

/// Has the component handle the message on its own executor, and waits for that. Throws what
/// handlers threw. `here` is the caller's executor.
asio::awaitable<std::size_t> deliver_elsewhere(std::shared_ptr<core> to,
                                               exec::shared_message message,
                                               asio::any_io_executor here);

/// A message that is moved to where it can be shared only if it must be.
class to_share {
 public:
  to_share(value_ref message, const msgbus::context& known, void* home,
           exec::shared_message (*share)(void* home)) noexcept
      : message_(message), known_(&known), home_(home), share_(share) {}

  [[nodiscard]] value_ref message() const noexcept { return message_; }
  [[nodiscard]] const msgbus::context& known() const noexcept { return *known_; }
  const exec::shared_message& shared() {
    if (!shared_) {
      shared_ = share_(home_);
      message_ = shared_->message();
    }
    return shared_;
  }

 private:
  value_ref message_;
  const msgbus::context* known_;
  void* home_;
  exec::shared_message (*share_)(void* home);
  exec::shared_message shared_;
};

/// One message on its way to several components at the same time (A3). For one coroutine.
class fan_out {
 public:
  explicit fan_out(const asio::any_io_executor& here) noexcept;
  ~fan_out();
  fan_out(const fan_out&) = delete;
  fan_out& operator=(const fan_out&) = delete;

  /// Runs what need not be awaited of one more component, and remembers the rest. `alone`: nobody
  /// else gets the message.
  void deliver(core& to, to_share& message, bool alone = false);

  /// Adds a delivery that has begun here and has something to await.
  void adopt(delivery& begun);

  /// Whether anything is left to await.
  [[nodiscard]] bool must_wait() const noexcept { return !rest_.empty(); }
  asio::awaitable<void> wait();

  /// Throws what failed, in the order of the components; then Asio's `operation_aborted` if
  /// anything was stopped.
  void throw_outcome();

  std::size_t ran = 0;
  bool refused = false;  // some subscriber has the topic and does not take the type

 private:
  struct own_delivery;
  struct crowd;
  static asio::awaitable<void> run(std::shared_ptr<own_delivery> mine);
  void ended(std::size_t index, delivery& d);
  asio::awaitable<void> wait_for_several(bool cancellable);
  void failed(std::size_t index, std::exception_ptr failure);
  void refused_by(core& to, std::size_t index, const to_share& message);

  const asio::any_io_executor& here_;
  bool cancelled_ = false;    // something was stopped
  bool told_to_end_ = false;  // the caller was cancelled
  std::size_t count_ = 0;     // of components
  std::vector<std::shared_ptr<own_delivery>> rest_;
  std::vector<std::pair<std::size_t, std::exception_ptr>> failed_;  // by component
};

}  // namespace msgbus::async::detail
