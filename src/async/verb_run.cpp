#include "async/verb_run.hpp"

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/lane_executor.hpp>

#include "async/await_handlers.hpp"

#include <asio/error.hpp>
#include <asio/recycling_allocator.hpp>
#include <asio/system_error.hpp>

#include <algorithm>

namespace msgbus::async::detail {

verb_call::~verb_call() = default;

asio::awaitable<std::size_t> run_call(std::shared_ptr<verb_call> mine) {
  return await_handlers(verb_run(std::move(mine)));
}

bool verb_run::begin(const asio::any_io_executor& here, bool cancellable) {
  here_ = &here;
  cancellable_ = cancellable;
  call_->begin(*this);
  if (!first_waits_) return false;
  if (!together_) {
    if (first_is_here_ && !cancellable) {
      in_hand_ = &*call_->first;
      return true;
    }
    make_together(1);
  }
  together_->start_tasks(here, cancellable);
  in_hand_ = together_->take(here);
  return in_hand_ != nullptr;
}

bool verb_run::handler_ended(const std::exception_ptr& failure) {
  if (go_on(*in_hand_, failure)) return true;
  if (!together_) return false;
  in_hand_ = together_->take_next();
  return in_hand_ != nullptr;
}

std::size_t verb_run::ended(bool told_to_end) {
  if (together_) {
    settle_together();
  } else if (first_waits_) {
    settled(first_index_, *call_->first);
  }
  throw_failures(told_to_end);
  if (ran_ == 0) call_->nothing_ran(refused_);
  return ran_;
}

void verb_run::deliver(core& to, std::size_t among) {
  if (!first_waits_) {
    prepare(call_->first.emplace(to, call_->message, call_->known), among);
    deliver_first(to);
    if (first_waits_ && among != 0) call_->keeps = to.self();
    return;
  }
  const std::size_t index = count_++;
  const bool is_here = exec::runs_on(*here_, to.executor());
  delivery d(to, call_->message, call_->known);
  prepare(d, among);
  if (must_await(to, d, index, is_here)) keep_waiting(to, std::move(d), index, is_here, among);
}

void verb_run::prepare(delivery& d, std::size_t among) noexcept {
  d.home = call_->owner;
  d.kept_by = &call_;
  d.with_others = among != 0;
}

void verb_run::deliver_first(core& to) {
  first_index_ = count_++;
  first_is_here_ = exec::runs_on(*here_, to.executor());
  first_waits_ = must_await(to, *call_->first, first_index_, first_is_here_);
}

bool verb_run::must_await(core& to, delivery& d, std::size_t index, bool is_here) {
  try {
    if (!is_here) {
      if (to.mailbox.can_run()) return true;
      to.throw_closed(d.step());
    }
    if (to.advance(d)) return true;
  } catch (...) {
    failed(index, std::current_exception());
  }
  settled(index, d);
  return false;
}

void verb_run::keep_waiting(core& to, delivery&& d, std::size_t index, bool is_here,
                            std::size_t among) {
  if (!together_) make_together(among + 1);
  auto& added = together_->add(to.self(), index, is_here);
  added.d = &added.own.emplace(std::move(d));
  added.d->kept_by = &together_->of();
}

void verb_run::make_together(std::size_t capacity) {
  together_ = std::allocate_shared<concurrent_deliveries>(
      asio::recycling_allocator<concurrent_deliveries>(), call_, capacity);
  delivery& first = *call_->first;
  auto& added = together_->add(first.component->self(), first_index_, first_is_here_);
  added.d = &first;
  first.kept_by = &together_->of();
}

void verb_run::settled(std::size_t index, const delivery& d) {
  ran_ += d.ran;
  refused_ = refused_ || d.refused;
  cancelled_ = cancelled_ || d.cancelled;
  for (std::size_t i = 0; i < d.failed.size(); ++i) failed(index, d.failed[i]);
}

void verb_run::failed(std::size_t index, std::exception_ptr failure) {
  failed_.emplace_back(index, std::move(failure));
}

void verb_run::settle_together() {
  for (std::size_t i = 0; i < together_->size(); ++i) {
    concurrent_deliveries::part& each = (*together_)[i];
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

void verb_run::throw_failures(bool told_to_end) {
  if (failed_.empty() && !cancelled_) return;
  std::stable_sort(failed_.begin(), failed_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  failures all;
  std::exception_ptr aborted;  // however many were told to end, it is one cancellation
  for (const auto& each : failed_) {
    if (told_to_end && exec::is_aborted(each.second)) {
      aborted = each.second;
    } else {
      all.add(each.second);
    }
  }
  all.throw_any();
  if (aborted) std::rethrow_exception(aborted);
  throw asio::system_error(asio::error::operation_aborted, "an awaited verb");
}

}  // namespace msgbus::async::detail
