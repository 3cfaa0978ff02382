#include <msgbus/async/detail/fan_out.hpp>

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/branches.hpp>
#include <msgbus/exec/lane_executor.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>

#include <algorithm>
#include <mutex>
#include <optional>

namespace msgbus::async::detail {

/// A delivery that owns all that it refers to, since it may outlive whoever waits for it (A12).
struct fan_out::own_delivery {
  own_delivery(std::shared_ptr<core> to, exec::shared_message message, std::size_t at)
      : component(std::move(to)),
        index(at),
        shared(std::move(message)),
        known(shared->about()),
        d(*component, shared->message(), known) {
    d.shared = shared;
  }
  own_delivery(std::shared_ptr<core> to, exec::shared_message message, std::size_t at,
               delivery&& begun)
      : component(std::move(to)),
        index(at),
        shared(std::move(message)),
        known(shared->about()),
        d(std::move(begun)),
        is_here(true) {
    d.message = shared->message();
    d.known = &known;
    d.shared = shared;
  }

  const std::shared_ptr<core> component;
  const std::size_t index;
  const exec::shared_message shared;
  const msgbus::context known;
  delivery d;
  bool is_here = false;  // it has begun on the caller's executor
};

fan_out::fan_out(const asio::any_io_executor& here) noexcept : here_(here) {}

fan_out::~fan_out() = default;

asio::awaitable<void> deliver_rest(delivery& d) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  do {
    std::exception_ptr failure;
    try {
      auto started = d.start();
      co_await std::move(started);
    } catch (...) {
      failure = std::current_exception();
    }
    d.component->handler_ended(d, failure);
    const auto state = co_await asio::this_coro::cancellation_state;
    d.cancelled = exec::is_told_to_end(here, state);
    if (state.slot().is_connected() && !d.cancelled) {
      // What the handler did to its cancellation state was for itself alone.
      co_await asio::this_coro::throw_if_cancelled(true);
      co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    }
  } while (d.component->advance(d));
}

asio::awaitable<void> fan_out::run(std::shared_ptr<own_delivery> mine) {
  if (mine->is_here || mine->component->advance(mine->d)) co_await deliver_rest(mine->d);
}

void fan_out::failed(std::size_t index, std::exception_ptr failure) {
  failed_.emplace_back(index, std::move(failure));
}

void fan_out::ended(std::size_t index, delivery& d) {
  ran += d.ran;
  refused = refused || d.refused;
  cancelled_ = cancelled_ || d.cancelled;
  for (std::size_t i = 0; i < d.failed.size(); ++i) failed(index, d.failed[i]);
}

void fan_out::refused_by(core& to, std::size_t index, const to_share& message) {
  try {
    to.throw_closed({message.message().type->name, message.known().topic()});
  } catch (...) {
    failed(index, std::current_exception());
  }
}

void fan_out::deliver(core& to, to_share& message, bool alone) {
  const std::size_t index = count_++;
  if (!exec::runs_on(here_, to.executor())) {
    if (!to.mailbox.can_run()) return refused_by(to, index, message);
    rest_.push_back(std::make_shared<own_delivery>(to.self(), message.shared(), index));
    rest_.back()->d.with_others = !alone;
    return;
  }
  delivery d(to, message.message(), message.known());
  d.with_others = !alone;
  try {
    if (to.advance(d)) {
      rest_.push_back(
          std::make_shared<own_delivery>(to.self(), message.shared(), index, std::move(d)));
      return;
    }
  } catch (...) {
    failed(index, std::current_exception());
  }
  ended(index, d);
}

void fan_out::adopt(delivery& begun) {
  const auto kept = begun.component->self();
  exec::shared_message message = begun.share_message();
  rest_.push_back(
      std::make_shared<own_delivery>(kept, std::move(message), count_++, std::move(begun)));
}

/// Deliveries that have begun here and must be awaited, where nobody can cancel. The caller's
/// coroutine awaits one after the other. Meanwhile it asks for help: once it is suspended, or busy
/// on another thread, a helper takes the next one. So they run at the same time where that matters
/// (A3), and where no handler suspends they cost no spawn.
struct fan_out::crowd final : helped, std::enable_shared_from_this<fan_out::crowd> {
  explicit crowd(const asio::any_io_executor& caller) : here(caller) {}

  std::shared_ptr<own_delivery> take() {
    std::shared_ptr<own_delivery> mine;
    bool last = false;
    {
      const std::lock_guard lock(mutex);
      if (next == todo.size()) return nullptr;
      mine = todo[next++];
      last = next == todo.size();
    }
    core& desk_of = *todo.front()->component;
    if (mine == todo.front() && !last) {
      desk_of.desk.ask(desk_of.executor(), shared_from_this(), todo.front()->component);
    } else if (last && todo.size() > 1) {
      desk_of.desk.leave(*this);
    }
    return mine;
  }

  bool has_branches() {
    const std::lock_guard lock(mutex);
    return together.has_value();
  }

  struct leaver {
    crowd& all;
    ~leaver() {
      if (all.todo.size() > 1) all.todo.front()->component->desk.leave(all);
    }
  };

  void help() override {
    std::size_t branch = 0;
    {
      const std::lock_guard lock(mutex);
      if (next == todo.size()) return;
      const asio::any_io_executor on =
          exec::child_executor(here, todo[next]->component->executor(), false);
      if (!together) together.emplace();
      branch = together->add(on);  // under the lock: who finds nothing left to take joins it
    }
    together->launch(branch, work(shared_from_this()));
  }

  static asio::awaitable<void> work(std::shared_ptr<crowd> self) {
    while (const auto mine = self->take()) co_await deliver_rest(mine->d);
  }

  const asio::any_io_executor here;
  std::mutex mutex;
  std::vector<std::shared_ptr<own_delivery>> todo;
  std::size_t next = 0;
  std::optional<exec::branches> together;  // once there is one
};

asio::awaitable<void> fan_out::wait() {
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancellable = state.slot().is_connected();
  if (!cancellable && rest_.size() == 1 && rest_.front()->is_here) {
    co_await deliver_rest(rest_.front()->d);
    ended(rest_.front()->index, rest_.front()->d);
  } else {
    co_await wait_for_several(cancellable);
  }
}

asio::awaitable<void> fan_out::wait_for_several(bool cancellable) {
  const auto all = std::make_shared<crowd>(here_);
  const crowd::leaver at_end{*all};  // also where this coroutine is destroyed
  std::vector<std::shared_ptr<own_delivery>> spawned;
  for (const auto& each : rest_) {
    // Where it may be cancelled all must be told at once (A9), and handlers must not change the
    // caller's cancellation state: each has a branch of its own.
    if (each->is_here && !cancellable) {
      all->todo.push_back(each);
    } else {
      spawned.push_back(each);
      const asio::any_io_executor on =
          exec::child_executor(here_, each->component->executor(), cancellable);
      if (!all->together) all->together.emplace();
      all->together->start(on, run(each));
    }
  }
  if (!all->todo.empty()) co_await crowd::work(all);
  if (all->has_branches()) {
    // Cancelled or not, what was started is waited for (A1).
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await all->together->join();
    co_await asio::this_coro::throw_if_cancelled(throws);
    const auto now = co_await asio::this_coro::cancellation_state;
    told_to_end_ = now.cancelled() != asio::cancellation_type::none;
    for (std::size_t i = 0; i < all->together->size(); ++i) {
      const bool own = i < spawned.size();
      if (own && all->together->was_given_up(i)) {
        spawned[i]->component->give_up(spawned[i]->d);
      } else if (const auto failure = all->together->failure(i)) {
        failed(own ? spawned[i]->index : rest_.back()->index, failure);
      }
    }
  }
  for (const auto& each : rest_) ended(each->index, each->d);
}

void fan_out::throw_outcome() {
  if (failed_.empty() && !cancelled_) return;
  std::size_t last = 0;
  for (const auto& each : failed_) last = std::max(last, each.first);
  failures all;
  std::exception_ptr aborted;  // however many were told to end, it is one cancellation
  for (std::size_t index = 0; index <= last; ++index) {
    for (const auto& each : failed_) {
      if (each.first != index) continue;
      if (told_to_end_ && exec::is_aborted(each.second)) {
        aborted = each.second;
      } else {
        all.add(each.second);
      }
    }
  }
  all.throw_any();
  if (aborted) std::rethrow_exception(aborted);
  throw asio::system_error(asio::error::operation_aborted, "a verb");
}

asio::awaitable<std::size_t> deliver_elsewhere(std::shared_ptr<core> to,
                                               exec::shared_message message,
                                               asio::any_io_executor here) {
  const msgbus::context known = message->about();
  to_share source(message->message(), known, &message,
                  [](void* home) { return *static_cast<exec::shared_message*>(home); });
  fan_out there(here);
  there.deliver(*to, source, true);
  if (there.must_wait()) co_await there.wait();
  there.throw_outcome();
  co_return there.ran;
}

asio::awaitable<std::size_t> deliver_apart(delivery& d, asio::any_io_executor here) {
  fan_out apart(here);
  apart.adopt(d);
  co_await apart.wait();
  apart.throw_outcome();
  co_return apart.ran;
}

}  // namespace msgbus::async::detail
