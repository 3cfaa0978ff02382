#include <msgbus/exec/lane_executor.hpp>

#include <asio/strand.hpp>

namespace msgbus::exec {

lane_executor::lane_executor(const asio::any_io_executor& base,
                             std::shared_ptr<const lineage> waiting)
    : inner_(asio::make_strand(base)),
      shared_(std::make_shared<const shared>(shared{base, std::move(waiting)})) {}

bool detail::runs_on_base(const asio::any_io_executor& here,
                          const asio::any_io_executor& wanted) noexcept {
  const auto* const lane = here.target<lane_executor>();
  return lane && lane->base() == wanted;
}

bool is_waited_for(const asio::any_io_executor& here, const void* mailbox) noexcept {
  const auto* const lane = here.target<lane_executor>();
  if (!lane) return false;
  for (const lineage* each = lane->waiting().get(); each; each = each->outer.get()) {
    if (each->mailbox == mailbox) return true;
  }
  return false;
}

asio::any_io_executor child_executor(const asio::any_io_executor& here,
                                     const asio::any_io_executor& wanted, bool cancellable) {
  const auto* const lane = here.target<lane_executor>();
  std::shared_ptr<const lineage> waiting = lane ? lane->waiting() : nullptr;
  if (!cancellable && !waiting) return wanted;
  return lane_executor(wanted, std::move(waiting));
}

}  // namespace msgbus::exec
