#pragma once

/// Coroutines that wait for replies, which other threads bring.

#include <msgbus/detail/exec/one_shot_event.hpp>

#include "transport/pending_replies.hpp"
#include "transport/reply_timer.hpp"

#include <asio/any_io_executor.hpp>

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace msgbus::transport {

/// One reply to come. States: open -> taken -> answered, by the first `give`; or open -> late, when
/// its time is over. Shared by the coroutine, whose context may be destroyed while it waits, and
/// the threads that give the answer.
template <class Answer>
class reply final : public reply_timer::wait, public exec::one_shot_event {
 public:
  /// From any thread; the first one counts.
  void give(Answer&& answer) noexcept {
    if (keep(std::move(answer))) one_shot_event::set();
  }
  /// The same; the coroutine is resumed together with others.
  void give(Answer&& answer, exec::event_batch& with) noexcept {
    if (keep(std::move(answer))) with.set(*this);
  }

  // For the coroutine, after its wait. Neither: the wait was cancelled.

  [[nodiscard]] bool is_answered() const noexcept {
    return state_.load(std::memory_order_acquire) == state::answered;
  }
  [[nodiscard]] bool is_late() const noexcept {
    return state_.load(std::memory_order_acquire) == state::late;
  }
  /// Of one that is answered.
  [[nodiscard]] Answer& answer() noexcept {
    assert(is_answered());
    return *answer_;
  }

 private:
  enum class state { open, taken, answered, late };

  bool keep(Answer&& answer) noexcept {
    state expected = state::open;
    if (!state_.compare_exchange_strong(expected, state::taken, std::memory_order_relaxed)) {
      return false;
    }
    answer_.emplace(std::move(answer));
    // Release: a thread that sees it sees the answer.
    state_.store(state::answered, std::memory_order_release);
    return true;
  }

  void time_is_over() noexcept override {
    state expected = state::open;
    if (!state_.compare_exchange_strong(expected, state::late, std::memory_order_release)) return;
    one_shot_event::set();
  }

  std::atomic<state> state_{state::open};
  std::optional<Answer> answer_;  // for the thread that has taken it, then for the coroutine
};

/// The replies that come to one inbox. States: open -> ended. Thread-safe.
template <class Answer>
class reply_table {
 public:
  using pointer = std::shared_ptr<reply<Answer>>;

  reply_table() = default;
  reply_table(const reply_table&) = delete;
  reply_table& operator=(const reply_table&) = delete;

  /// From now on, `asked` gets the reply with this number. 0: no reply arrives any more; it has got
  /// the table's last answer.
  [[nodiscard]] std::uint64_t add(const pointer& asked) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = waiting_.add(asked);
    note_size();
    if (number == 0) asked->give(Answer(*last_));
    return number;
  }
  /// Begins the time of one that was added, or will be.
  void limit(reply<Answer>& asked, const asio::any_io_executor& caller,
             exec::clock::duration after) {
    asked.begin(timers_.of(caller), after);
  }
  /// It is no longer waited for. By its owner; `give` may be under way on another thread.
  void remove(std::uint64_t number, reply<Answer>& asked) noexcept {
    asked.leave();
    (void)take(number);
  }

  /// False if no reply is waited for there any more.
  bool give(std::uint64_t number, Answer&& answer) noexcept {
    const pointer to = take(number);
    if (to) to->give(std::move(answer));
    return to != nullptr;
  }
  /// An answer with its number, until it is given.
  struct given {
    std::uint64_t number = 0;
    Answer answer = {};
    pointer to = {};  // for `give`
  };
  /// Gives several, with one lock, and those who wait on one executor are woken together; those
  /// that nobody waits for are dropped.
  void give(std::vector<given>& all) noexcept {
    {
      const std::lock_guard lock(mutex_);
      for (given& each : all) each.to = waiting_.take(each.number);
      note_size();
    }
    {
      exec::event_batch woken;
      for (given& each : all) {
        if (each.to) each.to->give(std::move(each.answer), woken);
      }
    }
    all.clear();
  }
  /// All that wait are given this.
  void interrupt(const Answer& with) {
    for (const pointer& each : take_all()) each->give(Answer(with));
  }
  /// The same, and so are those that are added later. The first call counts.
  void end(const Answer& with) {
    {
      const std::lock_guard lock(mutex_);
      if (!last_) last_.emplace(with);
      waiting_.end();
    }
    interrupt(with);
  }

  [[nodiscard]] bool has_ended() const {
    const std::lock_guard lock(mutex_);
    return waiting_.has_ended();
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  // A reply is destroyed without the lock.
  pointer take(std::uint64_t number) noexcept {
    const std::lock_guard lock(mutex_);
    pointer taken = waiting_.take(number);
    note_size();
    return taken;
  }
  std::vector<pointer> take_all() {
    const std::lock_guard lock(mutex_);
    auto all = waiting_.take_all();
    note_size();
    return all;
  }
  void note_size() noexcept { size_.store(waiting_.size(), std::memory_order_relaxed); }

  reply_timers timers_;
  std::atomic<std::size_t> size_{0};
  mutable std::mutex mutex_;  // of what follows
  pending_replies<reply<Answer>> waiting_;
  std::optional<Answer> last_;  // from `end` on
};

/// A reply of a table, for as long as a coroutine waits. The table outlives it.
template <class Answer>
class awaited_reply {
 public:
  using pointer = typename reply_table<Answer>::pointer;

  awaited_reply(reply_table<Answer>& in, const asio::any_io_executor& caller,
                exec::clock::duration after, pointer promised = std::make_shared<reply<Answer>>())
      : in_(in), reply_(std::move(promised)) {
    in_.limit(*reply_, caller, after);
    number_ = in_.add(reply_);
  }
  ~awaited_reply() { in_.remove(number_, *reply_); }
  awaited_reply(const awaited_reply&) = delete;
  awaited_reply& operator=(const awaited_reply&) = delete;

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// For callers that give it an answer without a number.
  [[nodiscard]] const pointer& promise() const noexcept { return reply_; }

 private:
  reply_table<Answer>& in_;
  const pointer reply_;
  std::uint64_t number_ = 0;
};

}  // namespace msgbus::transport
