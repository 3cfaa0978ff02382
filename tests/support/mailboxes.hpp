#pragma once

// A mailbox with an owner that does nothing but keep a record, for tests of the mailbox alone.

#include <msgbus/detail/exec/mailbox.hpp>
#include <msgbus/detail/exec/send_operation.hpp>

#include <asio/this_coro.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace msgbus_test {

/// What is sent: a number, and who sent it.
struct numbered {
  int number;
  int from = 0;
};

inline const numbered& number_in(const msgbus::exec::queued_message& message) {
  return *static_cast<const numbered*>(message.message().data);
}

/// Owns a mailbox, and is kept by its loops. Every message ends in one of the lists.
class box final : public msgbus::exec::mailbox_owner, public std::enable_shared_from_this<box> {
 public:
  box(const asio::any_io_executor& executor, const msgbus::mailbox_options& options)
      : mailbox(executor, options, *this) {}

  static std::shared_ptr<box> make(const asio::any_io_executor& executor,
                                   const msgbus::mailbox_options& options = {}) {
    return std::make_shared<box>(executor, options);
  }

  /// Called for every message, before anything else; may be empty.
  std::function<void(const numbered&)> on_message;
  /// What is awaited for a message; if empty, messages are handled at once. May throw.
  std::function<asio::awaitable<void>(numbered)> on_rest;

  std::atomic<int> running{0};  // handled just now
  std::atomic<int> most_running{0};

  [[nodiscard]] std::vector<int> handled() const { return copy(handled_); }
  [[nodiscard]] std::vector<int> given_up() const { return copy(abandoned_); }
  [[nodiscard]] std::vector<int> displaced() const { return copy(dropped_); }
  [[nodiscard]] std::vector<int> interrupted() const { return copy(cut_off_); }
  [[nodiscard]] std::size_t ended() const {
    const std::lock_guard lock(mutex_);
    return handled_.size() + abandoned_.size() + dropped_.size() + cut_off_.size();
  }

  /// How many sends found no room and have not ended, or were cancelled.
  [[nodiscard]] int waiting() const { return waiting_; }

  msgbus::exec::put post(int number, int from = 0) {
    numbered message{number, from};
    msgbus::exec::send_operation out = msgbus::exec::event_send_operation(message);
    return mailbox.try_put(out);
  }

  /// The same, without a loop for it.
  msgbus::exec::put put_only(int number) {
    numbered message{number};
    msgbus::exec::send_operation out = msgbus::exec::event_send_operation(message);
    return mailbox.try_put_only(out);
  }

  /// As a component's `send` with `overflow::suspend`.
  static asio::awaitable<msgbus::exec::put> send(std::shared_ptr<box> to, int number,
                                                 int from = 0) {
    numbered message{number, from};
    msgbus::exec::send_operation out = msgbus::exec::event_send_operation(message);
    msgbus::exec::put result = to->mailbox.try_put(out);
    if (result == msgbus::exec::put::full) {
      const asio::any_io_executor here = co_await asio::this_coro::executor;
      ++to->waiting_;
      result = co_await to->mailbox.put_when_space(out, here);
      --to->waiting_;
    }
    co_return result;
  }

 private:
  using list = std::vector<int>;

  bool handle(msgbus::exec::queued_message& message, asio::awaitable<void>& rest) override {
    const numbered what = number_in(message);
    if (on_message) on_message(what);
    if (on_rest) {
      rest = run_rest(what);
      return false;
    }
    add(handled_, what);
    return true;
  }

  asio::awaitable<void> run_rest(numbered what) {
    const int now = ++running;
    int most = most_running;
    while (most < now && !most_running.compare_exchange_weak(most, now)) {
    }
    struct leave {
      ~leave() {
        --of.running;
        if (what) of.add(of.cut_off_, *what);
      }
      box& of;
      std::optional<numbered> what;
    };
    leave at_end{*this, what};
    bool failed = false;
    co_await asio::this_coro::throw_if_cancelled(true);
    try {
      co_await on_rest(what);
    } catch (...) {
      failed = true;
    }
    co_await asio::this_coro::throw_if_cancelled(false);
    at_end.what.reset();
    add(failed ? abandoned_ : handled_, what);
  }

  void abandoned(const msgbus::exec::queued_message& message) noexcept override {
    add(abandoned_, number_in(message));
  }
  void dropped(const msgbus::exec::queued_message& message) noexcept override {
    add(dropped_, number_in(message));
  }
  void failed(const msgbus::exec::queued_message& message,
              const std::exception_ptr&) noexcept override {
    add(abandoned_, number_in(message));
  }
  std::shared_ptr<const void> keep() noexcept override { return shared_from_this(); }

  void add(list& to, const numbered& what) {
    const std::lock_guard lock(mutex_);
    to.push_back(what.number);
  }
  list copy(const list& from) const {
    const std::lock_guard lock(mutex_);
    return from;
  }

  std::atomic<int> waiting_{0};
  mutable std::mutex mutex_;
  list handled_, abandoned_, dropped_, cut_off_;

 public:
  msgbus::exec::mailbox mailbox;  // the last: it tells the rest of what it abandons at its end
};

}  // namespace msgbus_test
