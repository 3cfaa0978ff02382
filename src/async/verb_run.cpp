#include "async/verb_run.hpp"

#include <msgbus/detail/exec/cancellation.hpp>

#include "async/await_handlers.hpp"

#include <asio/recycling_allocator.hpp>

#include <algorithm>

namespace msgbus::async::detail {

template asio::awaitable<std::size_t> await_handlers<std::size_t, verb_run>(
    call_ptr<verb_call> made);

bool verb_run::begin_waiting(bool cancellable) {
  cancellable_ = cancellable;
  hand_on_deadline();
  if (!together_) {
    // A limit of time cancels the coroutine that awaits the handler: not that of the caller. A
    // cause of its own is kept by a strand.
    const component_run& first = *call_->first;
    if (first_is_here_ && !cancellable_ && first.current != surrounded::by_time &&
        !first.has_own_cause()) {
      in_hand_ = &*call_->first;
      return true;
    }
    make_together(1);
  }
  together_->start_tasks(*here_, cancellable_);
  in_hand_ = together_->take(*here_);
  return in_hand_ != nullptr;
}

// The runs outlive the caller's executor object.
void verb_run::hand_on_deadline() noexcept {
  const auto until = exec::deadline_on(*here_);
  const auto hand_on = [until](component_run& to) {
    to.here = nullptr;
    to.until = until;
  };
  hand_on(*call_->first);
  for (std::size_t i = 0; together_ && i < together_->size(); ++i) hand_on(*(*together_)[i].d);
}

bool verb_run::take_next() {
  in_hand_ = together_->take_next();
  return in_hand_ != nullptr;
}

void verb_run::deliver_one_more(component_core& to, std::size_t among) {
  const std::size_t index = count_++;
  const bool is_here = exec::runs_on(*here_, to.executor());
  component_run d(to, call_->message, call_->ctx);
  prepare(d, among);
  if (!must_await(to, d, index, is_here)) return;
  if (!together_) make_together(among + 1);
  auto& added = together_->add(to.self(), index, is_here);
  added.d = &added.own.emplace(std::move(d));
}

bool verb_run::may_run_elsewhere(component_core& to, const component_run& d) {
  if (!to.mailbox.can_run()) to.throw_closed(d.step());
  return true;
}

void verb_run::make_together(std::size_t capacity) {
  together_ = std::allocate_shared<concurrent_runs>(asio::recycling_allocator<concurrent_runs>(),
                                                    call_, capacity);
  component_run& first = *call_->first;
  together_->add(first.component->self(), first_index_, first_is_here_).d = &first;
}

void verb_run::settle_awaited() {
  if (!together_) return settled(first_index_, *call_->first);
  for (std::size_t i = 0; i < together_->size(); ++i) {
    concurrent_runs::part& each = (*together_)[i];
    if (each.is_task) {
      if (together_->was_given_up(each)) {
        each.component->give_up(*each.d);
      } else if (const auto failure = together_->failure(each)) {
        failed(each.index, failure);
      }
    }
    settled(each.index, *each.d);
  }
}

void verb_run::add_failures(std::size_t index, const failures& of) {
  for (std::size_t i = 0; i < of.size(); ++i) failed(index, of[i]);
}

void verb_run::failed(std::size_t index, std::exception_ptr failure) {
  if (!failed_) failed_ = std::make_unique<failures_by_component>();
  const auto behind =
      std::upper_bound(failed_->begin(), failed_->end(), index,
                       [](std::size_t wanted, const auto& each) { return wanted < each.first; });
  failed_->emplace(behind, index, std::move(failure));
}

std::exception_ptr verb_run::ended_with(bool cancel_requested) {
  if (first_waits_) settle_awaited();
  if (failed_ && failed_->size() == 1) {
    trace_failure(failed_->front().second);
    return failed_->front().second;
  }
  try {
    if (failed_ || cancelled_) throw_failures(cancel_requested);
    if (ran_ == 0) call_->nothing_ran(refused_);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void verb_run::throw_failures(bool cancel_requested) {
  failures all;
  std::exception_ptr aborted;  // however many were told to end, it is one cancellation
  if (failed_) {
    trace_failure(failed_->front().second);
    for (const auto& each : *failed_) {
      if (cancel_requested && exec::is_aborted(each.second)) {
        aborted = each.second;
      } else {
        all.add(each.second);
      }
    }
  }
  all.throw_any();
  if (aborted) std::rethrow_exception(aborted);
  exec::throw_aborted("an awaited verb");
}

}  // namespace msgbus::async::detail
