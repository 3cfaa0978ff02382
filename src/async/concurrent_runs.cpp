#include "async/concurrent_runs.hpp"

#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "async/await_handlers.hpp"

#include <new>
#include <utility>

namespace msgbus::async::detail {

namespace {

/// A run that a task awaits, which keeps it.
struct in_task {
  explicit in_task(component_run* awaited) noexcept : d(awaited) {}
  in_task(const in_task&) = delete;
  in_task& operator=(const in_task&) = delete;
  ~in_task() { d->cut_off(); }  // if its coroutine is destroyed: others may keep the call
  static constexpr bool is_caller = false;
  static constexpr bool is_loop = false;

  [[nodiscard]] component_run& in_hand() noexcept { return *d; }
  [[nodiscard]] bool handler_ended(const std::exception_ptr& failure) { return go_on(*d, failure); }

  component_run* d;
};

}  // namespace

asio::awaitable<void> concurrent_runs::part::begin() {
  if (!has_begun && !component->advance(*d)) return {};
  return await_handlers<void, in_task>(d);
}

concurrent_runs::concurrent_runs(call_ptr<verb_call> of, std::size_t capacity)
    : call_(std::move(of)), memory_((capacity - 1) * sizeof(part), alignof(part)) {
  if (capacity > 1) others_ = static_cast<part*>(memory_.take());
}

concurrent_runs::~concurrent_runs() {
  for (std::size_t i = size_; i > 1; --i) others_[i - 2].~part();
}

concurrent_runs::part& concurrent_runs::add(std::shared_ptr<component_core> component,
                                            std::size_t index, bool has_begun) {
  part& added = size_ == 0 ? first_.emplace(std::move(component), index)
                           : *::new (others_ + (size_ - 1)) part(std::move(component), index);
  ++size_;
  added.has_begun = has_begun;
  return added;
}

void concurrent_runs::start_tasks(const asio::any_io_executor& here, bool cancellable) {
  for (std::size_t i = 0; i < size_; ++i) {
    part& each = (*this)[i];
    // Where the caller can be cancelled all must be told at once (A9), and handlers must not change
    // the caller's cancellation state: each is a task. So is one with a limit of time, and one with
    // a cause of its own, which its strand keeps.
    each.is_task = !each.has_begun || cancellable || each.is_limited() || each.d->has_own_cause();
    has_tasks_ = has_tasks_ || each.is_task;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    part& each = (*this)[i];
    if (!each.is_task) continue;
    // A handler that will be traced needs a strand, too.
    const bool needs_strand = cancellable || each.is_limited() || each.component->is_traced();
    const asio::any_io_executor on =
        exec::child_executor(here, each.component->executor(), needs_strand);
    add_on_own_strand(each, on);
    launch(each, on);
  }
}

bool concurrent_runs::more_locked() noexcept {
  while (next_ < size_ && (*this)[next_].is_task) ++next_;
  return next_ < size_;
}

concurrent_runs::part* concurrent_runs::take_locked() noexcept {
  return more_locked() ? &(*this)[next_++] : nullptr;
}

component_run* concurrent_runs::take(const asio::any_io_executor& here) {
  part* mine = nullptr;
  {
    const std::lock_guard lock(mutex_);
    mine = take_locked();
    if (!more_locked()) return mine ? mine->d : nullptr;
    here_ = here;
  }
  helpers_of_ = mine->component.get();
  auto self = std::static_pointer_cast<concurrent_runs>(shared_from_this());
  helpers_of_->helpers.made().add(helpers_of_->executor(), std::move(self), mine->component);
  return mine->d;
}

component_run* concurrent_runs::take_next() {
  if (!helpers_of_) return nullptr;  // there was one only, or the last was taken
  part* mine = nullptr;
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    mine = take_locked();
    is_last = !more_locked();
  }
  if (is_last) stop_helpers();
  return mine ? mine->d : nullptr;
}

void concurrent_runs::stop_helpers() noexcept {
  std::exchange(helpers_of_, nullptr)->helpers.made().remove(*this);
  here_ = {};  // a helper that finds nothing left does not look at it
}

void concurrent_runs::leave() noexcept {
  if (!helpers_of_) return;
  std::size_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    left = std::exchange(next_, size_);
  }
  stop_helpers();
  for (; left < size_; ++left) {
    if (!(*this)[left].is_task) (*this)[left].d->cut_off();
  }
}

void concurrent_runs::help() {
  part* mine = nullptr;
  asio::any_io_executor on;
  {
    const std::lock_guard lock(mutex_);
    mine = take_locked();
    if (!mine) return;
    mine->is_task = has_tasks_ = true;
    on = exec::child_executor(here_, mine->component->executor(), mine->component->is_traced());
    add_on_own_strand(*mine, on);  // under the lock: a caller that finds nothing left waits
  }
  launch(*mine, on);
}

}  // namespace msgbus::async::detail
