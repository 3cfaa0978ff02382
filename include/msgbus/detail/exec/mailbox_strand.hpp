#pragma once

/// The executor of coroutines that the library spawns: a strand over a component's executor, which
/// makes their cancellation safe. It knows the mailboxes that wait for the work on it.

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/require.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::exec {

/// A mailbox whose consumer loop waits for work on this strand, and the mailboxes that wait for
/// that loop.
struct wait_chain {
  const void* mailbox;
  std::shared_ptr<const wait_chain> outer;
};

struct coroutine_loop;

struct strand_state;
struct strand_base_in;

/// The executor under a strand of the library: that of the strand's state. A strand asks it before
/// each function whether it may block, and `any_io_executor` makes an object on the heap for each
/// answer. Here it is a constant. A strand has one function in the queue of its context, which runs
/// all that wait, and cannot recover if there is no memory for it: over a context of Asio, its
/// memory is in the state (docs/design/0036).
template <bool Never>
struct strand_base {
  // The requirements of Asio for an executor.
  template <class F>
  void execute(F&& f) const;
  asio::execution_context& query(asio::execution::context_t) const noexcept;
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    if constexpr (Never) {
      return asio::execution::blocking.never;
    } else {
      return asio::execution::blocking.possibly;
    }
  }
  strand_base<true> require(asio::execution::blocking_t::never_t) const noexcept { return {of}; }
  strand_base_in require(asio::execution::allocator_t<wake_allocator<void>> in) const noexcept;
  friend bool operator==(const strand_base& a, const strand_base& b) noexcept {
    return a.of == b.of;
  }
  friend bool operator!=(const strand_base& a, const strand_base& b) noexcept { return !(a == b); }

  const strand_state* of;  // exists as long as a function waits in the strand
};

/// The same, for one posted function, whose memory is given.
struct strand_base_in {
  template <class F>
  void execute(F&& f) const {
    strand_base<true>{of}.execute(std::forward<F>(f));
  }
  asio::execution_context& query(asio::execution::context_t) const noexcept {
    return strand_base<true>{of}.query(asio::execution::context);
  }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  wake_allocator<void> query(asio::execution::allocator_t<void>) const noexcept {
    return wake_allocator<void>(*memory);
  }
  strand_base_in require(asio::execution::blocking_t::never_t) const noexcept { return *this; }
  friend bool operator==(const strand_base_in& a, const strand_base_in& b) noexcept {
    return a.of == b.of;
  }
  friend bool operator!=(const strand_base_in& a, const strand_base_in& b) noexcept {
    return !(a == b);
  }

  const strand_state* of;
  wake_memory* memory;
};

/// The state that the copies of a strand executor share.
struct strand_state : std::enable_shared_from_this<strand_state> {
  strand_state(const asio::any_io_executor& over, std::shared_ptr<const wait_chain> waited_for);

  /// The executors whose functions can have memory of ours.
  enum class base_kind { context, pool, other };

  const asio::any_io_executor base;
  const base_kind kind;
  const asio::any_io_executor posting_base;  // of another kind: it never blocks
  mutable wake_memory memory;                // of the strand's function in the base
  const std::shared_ptr<const wait_chain> waiting;
  const asio::strand<strand_base<false>> strand;
  const asio::strand<strand_base<true>> posting;  // the same, but it always posts

  // The origin of the handled message, for work on this strand. Changed only by that work, or
  // before it starts.
  mutable shared_origin cause;

  // Whether the coroutine of this strand must end. States: false -> true, before its cancellation
  // signal is emitted. A handler can change its cancellation state, but not this.
  mutable std::atomic<bool> cancel_requested{false};

  // The deadline of the work on this strand; `max()`: no limit. Set before it starts.
  mutable std::chrono::steady_clock::time_point deadline =
      std::chrono::steady_clock::time_point::max();

  // The consumer loop that runs on this strand, for its own coroutine; null: another coroutine.
  mutable coroutine_loop* loop = nullptr;

  // The signal that cancels the coroutine of this strand; null: it cannot be cancelled. Set before
  // it starts; it exists as long as the coroutine.
  mutable asio::cancellation_signal* signal = nullptr;

  // A time limit of the running work (async/guarded_call.cpp). Used on the strand only.
  struct time_limit {
    std::uint64_t number = 0;  // unique on the strand; 0: none
    std::uint64_t last = 0;    // the last number that was given
    bool is_over = false;      // the work was told to end
    bool looks = false;        // a look at the timer is on its way to the strand
    // The timer that the limits of a consumer loop have used; it is looked at when the loop ends.
    std::shared_ptr<void> timer = {};
    void (*look)(void* timer) = nullptr;

    void loop_ends() {
      if (const auto used = std::exchange(timer, nullptr)) look(used.get());
    }
  };
  mutable time_limit limit = {};
};

template <bool Never>
template <class F>
void strand_base<Never>::execute(F&& f) const {
  const strand_state& mine = *of;
  if (mine.kind == strand_state::base_kind::other) {
    // A copy: the function may run, and end the state, before `execute` returns.
    const asio::any_io_executor on = Never ? mine.posting_base : mine.base;
    return on.execute(std::forward<F>(f));
  }
  // The state keeps the memory until the function has left the queue. The functions that wait in
  // the strand keep the state until here.
  auto in_turn = [keep = mine.shared_from_this(),
                  run = std::decay_t<F>(std::forward<F>(f))]() mutable { std::move(run)(); };
  in_memory<decltype(in_turn)> in_place{&mine.memory, std::move(in_turn)};
  const auto run_on = [&in_place](const auto& context) {
    if constexpr (Never) {
      asio::post(context, std::move(in_place));
    } else {
      asio::dispatch(context, std::move(in_place));
    }
  };
  if (mine.kind == strand_state::base_kind::context) {
    run_on(*mine.base.template target<asio::io_context::executor_type>());
  } else {
    run_on(*mine.base.template target<asio::thread_pool::executor_type>());
  }
}

template <bool Never>
strand_base_in strand_base<Never>::require(
    asio::execution::allocator_t<wake_allocator<void>> in) const noexcept {
  return {of, in.value().memory()};
}

template <bool Never>
asio::execution_context& strand_base<Never>::query(asio::execution::context_t) const noexcept {
  return asio::query(of->base, asio::execution::context);
}

/// An Asio executor. `Never` means that `execute` never runs a function inside the call. It is
/// small enough for `any_io_executor` not to allocate. It does not keep its context running; the
/// spawning code does.
template <bool Never>
class basic_mailbox_strand {
 public:
  explicit basic_mailbox_strand(std::shared_ptr<const strand_state> state) noexcept
      : state_(std::move(state)) {}

  [[nodiscard]] const strand_state& state() const noexcept { return *state_; }

  // The requirements of Asio for an executor.
  template <class F>
  void execute(F&& f) const {
    if constexpr (Never) {
      state_->posting.execute(with_cause(std::forward<F>(f)));
    } else {
      state_->strand.execute(with_cause(std::forward<F>(f)));
    }
  }
  /// Posts the function. Its memory is not in use, and exists until the function has left the
  /// queue. Over a context of Asio, this allocates nothing.
  template <class F>
  void post_in(wake_memory& memory, F&& f) const {
    asio::require(state_->posting, asio::execution::allocator(wake_allocator<void>(memory)))
        .execute(with_cause(std::forward<F>(f)));
  }
  asio::execution_context& query(asio::execution::context_t) const noexcept {
    return asio::query(state_->base, asio::execution::context);
  }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    if constexpr (Never) {
      return asio::execution::blocking.never;
    } else {
      return asio::execution::blocking.possibly;
    }
  }
  basic_mailbox_strand<true> require(asio::execution::blocking_t::never_t) const noexcept {
    return basic_mailbox_strand<true>(state_);
  }
  basic_mailbox_strand<false> require(asio::execution::blocking_t::possibly_t) const noexcept {
    return basic_mailbox_strand<false>(state_);
  }
  friend bool operator==(const basic_mailbox_strand& a, const basic_mailbox_strand& b) noexcept {
    return a.state_ == b.state_;
  }
  friend bool operator!=(const basic_mailbox_strand& a, const basic_mailbox_strand& b) noexcept {
    return a.state_ != b.state_;
  }

 private:
  template <class F>
  [[nodiscard]] auto with_cause(F&& f) const {
    return [state = state_, run = std::decay_t<F>(std::forward<F>(f))]() mutable {
      const cause_scope scope(&state->cause);
      std::move(run)();
    };
  }

  std::shared_ptr<const strand_state> state_;
};

using mailbox_strand = basic_mailbox_strand<false>;

/// A new strand over `base`.
[[nodiscard]] mailbox_strand make_mailbox_strand(const asio::any_io_executor& base,
                                                 std::shared_ptr<const wait_chain> waiting);

/// The state of a strand of the library; null for other executors.
[[nodiscard]] const strand_state* strand_state_of(const asio::any_io_executor& executor) noexcept;

/// Whether it is a strand of the library.
[[nodiscard]] bool is_mailbox_strand(const asio::any_io_executor& executor) noexcept;

/// The consumer loop whose coroutine runs on this strand, for that coroutine; null: there is none.
[[nodiscard]] coroutine_loop* loop_on(const asio::any_io_executor& here) noexcept;

/// The deadline of the work on `here`, set by the policy of a handler; `max()`: no limit.
[[nodiscard]] std::chrono::steady_clock::time_point deadline_on(
    const asio::any_io_executor& here) noexcept;
/// Sets that, before the work on the strand starts. No effect for other executors.
void set_deadline(const asio::any_io_executor& strand_of,
                  std::chrono::steady_clock::time_point deadline) noexcept;
void set_deadline(const strand_state& of, std::chrono::steady_clock::time_point deadline) noexcept;

/// Sets the cause of messages that the work on the strand sends, and returns the previous one. For
/// that work. No effect for other executors.
[[nodiscard]] shared_origin exchange_cause(const asio::any_io_executor& strand_of,
                                           shared_origin cause) noexcept;

/// Keeps the executor's context from running out of work. Empty for an empty executor.
[[nodiscard]] asio::any_io_executor work_on(const asio::any_io_executor& executor);

namespace detail {
[[nodiscard]] bool runs_on_base(const asio::any_io_executor& here,
                                const asio::any_io_executor& wanted) noexcept;
[[nodiscard]] bool is_told(const asio::any_io_executor& here) noexcept;
}  // namespace detail

/// Records, for `is_cancel_requested`, that the coroutine on this strand is cancelled. Call it
/// before the signal is emitted. No effect for other executors. For any thread.
void note_cancel_requested(const asio::any_io_executor& strand_of) noexcept;

/// Whether the library has cancelled the calling coroutine. `here` and `state` are its own. Only
/// for coroutines that run users' code for the library: if such a coroutine can be cancelled, the
/// library has spawned it on a strand of its own (docs/design/0014).
[[nodiscard]] inline bool is_cancel_requested(const asio::any_io_executor& here,
                                              const asio::cancellation_state& state) noexcept {
  return state.slot().is_connected() && detail::is_told(here);
}

/// As above, or whether the time limit of the running handler has passed: then nothing new begins.
[[nodiscard]] bool is_stop_requested(const asio::any_io_executor& here,
                                     const asio::cancellation_state& state) noexcept;

/// Whether work on `here` runs on `wanted`: they are the same, or `here` is a strand of the library
/// over it.
[[nodiscard]] inline bool runs_on(const asio::any_io_executor& here,
                                  const asio::any_io_executor& wanted) noexcept {
  return here == wanted || detail::runs_on_base(here, wanted);
}

/// Whether a consumer loop of the mailbox waits for work on `here`.
[[nodiscard]] bool is_waited_for(const asio::any_io_executor& here, const void* mailbox) noexcept;

/// The executor for work that code on `here` spawns on `wanted`. It is a strand if the work must be
/// cancelled from outside, if mailboxes wait for it, or if it has a deadline. It is also a strand
/// while a message from another process is handled, which is then the cause of the work's messages.
/// It is never the strand of another coroutine. Empty if `wanted` is, because its context was
/// destroyed.
[[nodiscard]] asio::any_io_executor child_executor(const asio::any_io_executor& here,
                                                   const asio::any_io_executor& wanted,
                                                   bool cancellable);

}  // namespace msgbus::exec
