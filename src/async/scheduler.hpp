#pragma once

/// The schedule of a component: the messages to be sent later, and the timer that sends them
/// (docs/design/0023-schedules.md).

#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/due_queue.hpp>
#include <msgbus/detail/exec/mailbox_state.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/scheduled.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::async::detail {

class fan_out_every;

/// A recurring schedule.
struct recurring {
  recurring(schedule_duration every, occurrence_maker makes, missed options);
  virtual ~recurring() = default;

  /// Makes a message, with the cause of the call that scheduled it. Throws what the user's function
  /// throws.
  [[nodiscard]] exec::shared_message make() const;
  [[nodiscard]] msgbus::step step() const noexcept { return {maker.message, maker.topic}; }
  [[nodiscard]] schedule_time time_after(schedule_time due, schedule_time now) const noexcept {
    return exec::next_occurrence(due, period, now, late);
  }
  /// Null unless it is that of a producer or publisher.
  [[nodiscard]] virtual fan_out_every* of_fan_out() noexcept { return nullptr; }

  const schedule_duration period;
  const missed late;
  const occurrence_maker maker;
  const shared_origin cause;  // of the call
  schedule_time next_due{};   // while it waits; under the mutex of its scheduler
};

/// The ticket of one message in the schedules of several components: they send it, or it is
/// cancelled in all of them.
class shared_ticket {
 public:
  virtual ~shared_ticket() = default;
  /// One of them is about to send it. False: it was cancelled.
  virtual bool begin() noexcept = 0;
  /// One of them gives it up. False: it was cancelled.
  virtual bool give_up() noexcept = 0;
};

/// Either a message, perhaps with a ticket, or a recurring schedule.
struct scheduled_item {
  exec::shared_message message;
  std::shared_ptr<shared_ticket> ticket;
  std::shared_ptr<recurring> every;
};

/// Thread-safe. Its mutex is held only for the queue and the timer: never while a message is made,
/// offered, counted or destroyed.
class scheduler final : public exec::schedule_target,
                        public std::enable_shared_from_this<scheduler>,
                        private exec::context_shutdown_hook {
 public:
  [[nodiscard]] static std::shared_ptr<scheduler> make(component_core& of);
  explicit scheduler(component_core& of);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  ~scheduler();

  /// Nothing if the component takes nothing new. `added` is then unchanged.
  std::optional<exec::due_key> add(component_core& to, schedule_time due, scheduled_item& added);
  /// A recurring schedule, which was in hand, waits for its next time. False if it was cancelled,
  /// or the schedule takes no more; `every` is then unchanged.
  bool again(component_core& to, const exec::due_key& key, schedule_time due,
             std::shared_ptr<recurring>& every);

  bool cancel(const exec::due_key& key) noexcept override;
  [[nodiscard]] bool is_scheduled(const exec::due_key& key) const noexcept override;

  /// Takes nothing new, and ends recurring schedules.
  void finish(component_core& of) noexcept;
  /// After `finish`: gives up messages for a time that never comes.
  void give_up_what_never_comes(component_core& of);
  /// Also abandons messages that are not due. `reported`: a drain report covers them, so no line on
  /// stderr is needed.
  void end(component_core& of, bool reported) noexcept;

  /// The number of messages that are scheduled, or due and not in the mailbox, or being made.
  [[nodiscard]] std::size_t pending() const noexcept {
    return pending_.load(std::memory_order_acquire);
  }
  /// The number of all messages that were scheduled.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return total_.load(std::memory_order_relaxed);
  }

 private:
  class turn;
  class due_message;
  struct on_its_way;
  enum class phase { open, finishing, over };
  struct taken {
    exec::due_key key;
    schedule_time due;
    scheduled_item item;
  };

  void on_time();
  std::optional<taken> take(schedule_time now) noexcept;
  void prefetch_upcoming() const noexcept;
  static void pump(turn mine);
  static bool send(taken&& due, turn& mine);
  static bool occur(taken&& due, turn& mine);
  static bool enter(due_message&& message, taken&& due, turn& mine);
  static asio::awaitable<void> wait_for_space(std::unique_ptr<on_its_way> way);
  void again_after(taken&& sent, component_core& to);
  static void leave(recurring& ended, component_core& of) noexcept;
  void arm(const component_core& of);
  void context_ended() noexcept override;
  void settled(component_core& of) noexcept;

  static constexpr schedule_time never = schedule_time::max();

  const std::weak_ptr<component_core> core_;
  std::atomic<std::size_t> pending_{0};
  std::atomic<std::uint64_t> total_{0};

  mutable std::mutex mutex_;
  exec::due_queue queue_;
  std::deque<scheduled_item> items_;  // by slot; empty for what is in hand
  phase phase_ = phase::open;
  bool reported_ = false;
  bool pumping_ = false;         // somebody has the turn
  schedule_time armed_ = never;  // when the timer will look
  exec::timer timer_;
};

}  // namespace msgbus::async::detail
