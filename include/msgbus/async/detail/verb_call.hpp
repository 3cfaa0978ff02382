#pragma once

/// One call of an awaited verb: docs/design/0017-awaited-verbs.md.

#include <msgbus/async/detail/delivery.hpp>
#include <msgbus/core/cause.hpp>
#include <msgbus/core/context.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace msgbus::async::detail {

class verb_run;

/// Owns what the handlers of one call refer to, and never moves. It is counted in itself: as long
/// as the caller alone has it, which is usual, that takes no locked instruction.
class verb_call {
 public:
  verb_call() noexcept = default;
  verb_call(const verb_call&) = delete;
  verb_call& operator=(const verb_call&) = delete;

  /// Has every component deliver it; what must be awaited is left to the run.
  virtual void begin(verb_run& run) = 0;
  /// It has ended well, and no handler ran. `refused` as in `verb_target`.
  virtual void nothing_ran(bool refused) = 0;

  value_ref message{};
  exec::queued_message* owner = nullptr;  // of the message, if it is not the call itself
  shared_origin cause;                    // what came with it, or with what led to it; or null
  msgbus::context known;
  std::shared_ptr<core> keeps;  // the first delivery's component, where nothing else keeps it
  // The first one that has something to await. To be destroyed before all that it refers to.
  std::optional<delivery> first;

 protected:
  virtual ~verb_call() = default;

 private:
  template <class Call>
  friend class call_ptr;

  virtual void destroy() noexcept = 0;

  std::atomic<std::uint32_t> owners_{0};
};

/// Shares a call. For one thread, as any pointer.
template <class Call>
class call_ptr {
 public:
  call_ptr() noexcept = default;
  explicit call_ptr(Call* at) noexcept : at_(at) {
    at->verb_call::owners_.fetch_add(1, std::memory_order_relaxed);
  }
  /// The first one, of a call that was made just now.
  struct adopt {};
  call_ptr(adopt, Call* made) noexcept : at_(made) {
    made->verb_call::owners_.store(1, std::memory_order_relaxed);
  }
  call_ptr(const call_ptr& other) noexcept : call_ptr(other.at_) {}
  call_ptr(call_ptr&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  template <class Derived>
  call_ptr(call_ptr<Derived>&& other) noexcept : at_(other.release()) {}
  call_ptr& operator=(call_ptr other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~call_ptr() {
    if (!at_) return;
    // Acquire and release: what the others did with it comes before its end. Nobody can share what
    // is this one's alone.
    auto& owners = at_->verb_call::owners_;
    if (owners.load(std::memory_order_acquire) == 1 ||
        owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      static_cast<verb_call*>(at_)->destroy();
    }
  }

  [[nodiscard]] Call* get() const noexcept { return at_; }
  [[nodiscard]] Call& operator*() const noexcept { return *at_; }
  [[nodiscard]] Call* operator->() const noexcept { return at_; }
  explicit operator bool() const noexcept { return at_ != nullptr; }
  [[nodiscard]] Call* release() noexcept { return std::exchange(at_, nullptr); }

 private:
  Call* at_ = nullptr;
};

/// The one loop that awaits handlers: src/async/await_handlers.hpp.
template <class Result, class Owner, class Made>
asio::awaitable<Result> await_handlers(Made made);

/// Runs the handlers of the call and completes when every one has ended, with how many ran. Throws
/// what failed, then Asio's `operation_aborted` if anything was stopped.
inline asio::awaitable<std::size_t> run_call(call_ptr<verb_call>&& mine) {
  return await_handlers<std::size_t, verb_run>(std::move(mine));
}

}  // namespace msgbus::async::detail
