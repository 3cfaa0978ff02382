#pragma once

/// The executor of coroutines that the library spawns: a strand over a component's executor, so
/// that they can be cancelled safely, which knows the mailboxes that wait for what runs on it.

#include <msgbus/core/cause.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/execution.hpp>
#include <asio/strand.hpp>

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::exec {

/// A mailbox whose lane waits for what runs here, and those that wait for that lane.
struct wait_chain {
  const void* mailbox;
  std::shared_ptr<const wait_chain> outer;
};

/// What the copies of a lane's executor share.
struct lane_state {
  lane_state(const asio::any_io_executor& over, std::shared_ptr<const wait_chain> waited_for);

  const asio::any_io_executor base;
  const std::shared_ptr<const wait_chain> waiting;
  const asio::strand<asio::any_io_executor> strand;
  const asio::strand<asio::any_io_executor> posting;  // the same, which never runs things at once

  // What is being handled, for whatever runs here. Changed only by what runs here, or before
  // anything does.
  mutable shared_origin cause;

  // The coroutine that was spawned here has been told to end. States: false -> true, before its
  // cancellation signal is emitted. A handler can change its coroutine's cancellation state, but
  // not this.
  mutable std::atomic<bool> told{false};
};

/// An Asio executor; `Never` is the one that never runs anything inside `execute`. It is as small
/// as it is so that `any_io_executor` need not allocate for it. It does not keep its context
/// running: whoever spawns onto it does.
template <bool Never>
class basic_lane_executor {
 public:
  explicit basic_lane_executor(std::shared_ptr<const lane_state> state) noexcept
      : state_(std::move(state)) {}

  [[nodiscard]] const lane_state& state() const noexcept { return *state_; }

  // What Asio asks of an executor.
  template <class F>
  void execute(F&& f) const {
    (Never ? state_->posting : state_->strand)
        .execute([state = state_, run = std::decay_t<F>(std::forward<F>(f))]() mutable {
          const cause_scope scope(&state->cause);
          std::move(run)();
        });
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
  basic_lane_executor<true> require(asio::execution::blocking_t::never_t) const noexcept {
    return basic_lane_executor<true>(state_);
  }
  basic_lane_executor<false> require(asio::execution::blocking_t::possibly_t) const noexcept {
    return basic_lane_executor<false>(state_);
  }
  friend bool operator==(const basic_lane_executor& a, const basic_lane_executor& b) noexcept {
    return a.state_ == b.state_;
  }
  friend bool operator!=(const basic_lane_executor& a, const basic_lane_executor& b) noexcept {
    return a.state_ != b.state_;
  }

 private:
  std::shared_ptr<const lane_state> state_;
};

using lane_executor = basic_lane_executor<false>;

/// A new strand over `base`.
[[nodiscard]] lane_executor make_lane_executor(const asio::any_io_executor& base,
                                               std::shared_ptr<const wait_chain> waiting);

/// Whether it is a strand of ours.
[[nodiscard]] bool is_lane(const asio::any_io_executor& executor) noexcept;

/// While it lives, the executor's context does not run out of work. Empty for an empty executor.
[[nodiscard]] asio::any_io_executor work_on(const asio::any_io_executor& executor);

namespace detail {
[[nodiscard]] bool runs_on_base(const asio::any_io_executor& here,
                                const asio::any_io_executor& wanted) noexcept;
[[nodiscard]] bool is_told(const asio::any_io_executor& here) noexcept;
}  // namespace detail

/// Notes, for `is_told_to_end`, that the coroutine that was spawned on this lane is cancelled. To
/// be called before its signal is emitted; does nothing for other executors. For any thread.
void note_told_to_end(const asio::any_io_executor& lane) noexcept;

/// Whether the library has cancelled the coroutine that asks. `here` and `state` are its own. Only
/// for coroutines that run users' code for the library: in a coroutine that can be cancelled, that
/// is always one that the library has spawned on a lane of its own (docs/design/0014).
[[nodiscard]] inline bool is_told_to_end(const asio::any_io_executor& here,
                                         const asio::cancellation_state& state) noexcept {
  return state.slot().is_connected() && detail::is_told(here);
}

/// Whether what runs on `here` runs on `wanted`: the same, or a strand of ours over it.
[[nodiscard]] inline bool runs_on(const asio::any_io_executor& here,
                                  const asio::any_io_executor& wanted) noexcept {
  return here == wanted || detail::runs_on_base(here, wanted);
}

/// Whether a lane of the mailbox waits for what runs on `here`.
[[nodiscard]] bool is_waited_for(const asio::any_io_executor& here, const void* mailbox) noexcept;

/// The executor for what is spawned on `wanted` by what runs on `here`. A strand where it must be
/// cancelled from outside, where mailboxes wait for it, or where something from elsewhere is being
/// handled; what it spawns is then known to be caused by that. It is never the lane of another
/// coroutine. Empty if `wanted` is, because its context has ended.
[[nodiscard]] asio::any_io_executor child_executor(const asio::any_io_executor& here,
                                                   const asio::any_io_executor& wanted,
                                                   bool cancellable);

}  // namespace msgbus::exec
