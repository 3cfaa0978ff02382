#pragma once

/// The schedules of producers and publishers, which have no clock: they use those of the components
/// that are bound to them (docs/design/0023-schedules.md).

#include "async/scheduler.hpp"

namespace msgbus::async::detail {

/// One message in the schedules of several components. Thread-safe.
///
/// States: waiting -> begun, by the first component that sends it; waiting -> cancelled, by
/// `cancel`, unless all have given it up.
class fan_out_message final : public shared_ticket, public exec::schedule_target {
 public:
  void add(std::shared_ptr<scheduler> in, const exec::due_key& key);

  bool begin() noexcept override;
  bool give_up() noexcept override;
  bool cancel(const exec::due_key& key) noexcept override;
  [[nodiscard]] bool is_scheduled(const exec::due_key& key) const noexcept override;

 private:
  enum class state { waiting, begun, cancelled };
  using members = std::vector<std::pair<std::shared_ptr<scheduler>, exec::due_key>>;

  mutable std::mutex mutex_;
  state state_ = state::waiting;
  members members_;
  std::size_t left_ = 0;  // components that have not given it up
};

/// A recurring schedule, in the schedule of one bound component at a time. Thread-safe.
///
/// States: active -> over, by `cancel`, by the end of its producer, or when no open component is
/// bound any more.
class fan_out_every final : public recurring,
                            public exec::schedule_target,
                            public std::enable_shared_from_this<fan_out_every> {
 public:
  fan_out_every(const std::shared_ptr<fan_out_core>& from, schedule_duration every,
                occurrence_maker makes, missed options);

  /// Puts it into the schedule of a bound component other than this one, after this time. False,
  /// and it is over, if there is none.
  bool settle_in(const component_core* except, schedule_duration after);

  /// It is due, in the schedule of this component, which then goes on.
  void occur(const std::shared_ptr<component_core>& in, schedule_time due);
  /// That component ends, and has let it go.
  void move_on(const component_core& from) noexcept;

  [[nodiscard]] fan_out_every* of_fan_out() noexcept override { return this; }
  bool cancel(const exec::due_key& key) noexcept override;
  [[nodiscard]] bool is_scheduled(const exec::due_key& key) const noexcept override;

 private:
  static asio::awaitable<void> send_rest(std::shared_ptr<fan_out_every> self, full_mailboxes full,
                                         exec::shared_message message,
                                         std::shared_ptr<component_core> in, schedule_time due);
  void again_after(component_core& in, schedule_time due);

  const std::weak_ptr<fan_out_core> from_;
  mutable std::mutex mutex_;
  bool over_ = false;
  std::shared_ptr<scheduler> in_;
  exec::due_key at_;
};

}  // namespace msgbus::async::detail
