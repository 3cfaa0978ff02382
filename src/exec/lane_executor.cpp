#include <msgbus/exec/lane_executor.hpp>

#include <typeinfo>

namespace msgbus::exec {

namespace {

/// The state behind one of our executors; null for others. `any_io_executor::target` of Asio 1.22
/// does not look at the type: this does.
const lane_state* state_of(const asio::any_io_executor& executor) noexcept {
  if (!executor) return nullptr;
  const std::type_info& type = executor.target_type();
  if (type == typeid(basic_lane_executor<false>)) {
    return &executor.target<basic_lane_executor<false>>()->state();
  }
  if (type == typeid(basic_lane_executor<true>)) {
    return &executor.target<basic_lane_executor<true>>()->state();
  }
  return nullptr;
}

}  // namespace

lane_state::lane_state(const asio::any_io_executor& over,
                       std::shared_ptr<const wait_chain> waited_for)
    : base(over),
      waiting(std::move(waited_for)),
      strand(asio::make_strand(base)),
      posting(asio::require(strand, asio::execution::blocking.never)) {}

lane_executor make_lane_executor(const asio::any_io_executor& base,
                                 std::shared_ptr<const wait_chain> waiting) {
  return lane_executor(std::make_shared<const lane_state>(base, std::move(waiting)));
}

bool is_lane(const asio::any_io_executor& executor) noexcept {
  return state_of(executor) != nullptr;
}

asio::any_io_executor work_on(const asio::any_io_executor& executor) {
  if (!executor) return {};
  const lane_state* const lane = state_of(executor);
  return asio::prefer(lane ? lane->base : executor, asio::execution::outstanding_work.tracked);
}

bool detail::runs_on_base(const asio::any_io_executor& here,
                          const asio::any_io_executor& wanted) noexcept {
  const lane_state* const lane = state_of(here);
  return lane && lane->base == wanted;
}

bool detail::is_told(const asio::any_io_executor& here) noexcept {
  const lane_state* const lane = state_of(here);
  return lane && lane->told.load(std::memory_order_acquire);
}

void note_told_to_end(const asio::any_io_executor& on) noexcept {
  // Release: a coroutine that sees its signal sees this.
  if (const lane_state* const lane = state_of(on))
    lane->told.store(true, std::memory_order_release);
}

bool is_waited_for(const asio::any_io_executor& here, const void* mailbox) noexcept {
  const lane_state* const lane = state_of(here);
  if (!lane) return false;
  for (const wait_chain* each = lane->waiting.get(); each; each = each->outer.get()) {
    if (each->mailbox == mailbox) return true;
  }
  return false;
}

asio::any_io_executor child_executor(const asio::any_io_executor& here,
                                     const asio::any_io_executor& wanted, bool cancellable) {
  if (!wanted) return {};
  const lane_state* const lane = state_of(here);
  std::shared_ptr<const wait_chain> waiting = lane ? lane->waiting : nullptr;
  const shared_origin* const cause = current_cause();
  if (!cancellable && !waiting && !cause && !state_of(wanted)) return wanted;
  lane_executor made = make_lane_executor(wanted, std::move(waiting));
  if (cause) made.state().cause = *cause;
  return made;
}

}  // namespace msgbus::exec
