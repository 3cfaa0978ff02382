#pragma once

/// One call of an awaited verb: docs/design/0017-awaited-verbs.md.

#include <msgbus/context.hpp>
#include <msgbus/detail/async/component_run.hpp>
#include <msgbus/detail/core/cause.hpp>

#include <asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace msgbus::async::detail {

class verb_run;

/// Owns the data of one call that handlers refer to, and never moves. It has its own reference
/// count: while only the caller owns it, which is usual, counting needs no locked instruction.
class verb_call {
 public:
  verb_call() noexcept = default;
  verb_call(const verb_call&) = delete;
  verb_call& operator=(const verb_call&) = delete;

  /// Delivers in every component; work that must be awaited is left to the run.
  virtual void begin(verb_run& run) = 0;
  /// The verb has succeeded, and no handler ran. `refused` as in `verb_target`.
  virtual void nothing_ran(bool refused) = 0;

  value_ref message{};
  exec::queued_message* owner = nullptr;  // of the message, if it is not the call itself
  shared_origin cause;                    // the origin of the message or of its cause; or null
  msgbus::context ctx;
  std::shared_ptr<component_core> keeps;  // keeps the first run's component, if nothing else does
  // The first run with awaited work. It must be destroyed before everything that it refers to.
  std::optional<component_run> first;

 protected:
  virtual ~verb_call() = default;

 private:
  template <class Call>
  friend class call_ptr;

  virtual void destroy() noexcept = 0;

  std::atomic<std::uint32_t> owners_{0};

 public:
  // Whether it has a span: see `begin_trace`.
  enum class tracing : std::uint8_t { undecided, sampled, not_sampled } traced = tracing::undecided;
};

/// Shares a call. For one thread, as any pointer.
template <class Call>
class call_ptr {
 public:
  call_ptr() noexcept = default;
  explicit call_ptr(Call* at) noexcept : at_(at) {
    at->verb_call::owners_.fetch_add(1, std::memory_order_relaxed);
  }
  /// The first owner, of a new call.
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
    // Acquire and release: the uses of all owners precede its end. No thread can share an object
    // with a single owner.
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

/// Runs the handlers of the call.
///
/// Completes: when every handler has ended, with their number.
/// Throws: the exceptions of the handlers; or else `operation_aborted` if a handler was stopped.
inline asio::awaitable<std::size_t> run_call(call_ptr<verb_call>&& mine) {
  return await_handlers<std::size_t, verb_run>(std::move(mine));
}

}  // namespace msgbus::async::detail
