#include <msgbus/detail/exec/async_resolution.hpp>

#include <msgbus/async/blocking.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/error.hpp>

#include <asio/this_coro.hpp>

#include <array>

namespace msgbus::exec {

/// Pointers to the values of a list of dependencies.
class async_resolution::pointers {
 public:
  [[nodiscard]] void** of(std::size_t count) {
    if (count <= few_.size()) return few_.data();
    many_.resize(count);
    return many_.data();
  }

 private:
  std::array<void*, 4> few_{};
  std::vector<void*> many_;
};

// --- The plan. -----------------------------------------------------------------------------------

void async_resolution::begin(std::span<const component::dependency_ref> needs, async_rest rest) {
  needs_ = needs;
  rest_ = rest;
  if (needs.empty()) return;
  steps_.reserve(4);
  const routing::guard guard(overrides_.guarded());
  (void)plan(needs, nullptr);  // if it is impossible, the steps before still run
}

bool async_resolution::plan(std::span<const component::dependency_ref> needs,
                            const planned* outer) {
  for (const component::dependency_ref& each : needs) {
    if (!plan(each, outer)) return false;
  }
  return true;
}

bool async_resolution::plan(component::dependency_ref wanted, const planned* outer) {
  for (const step& each : steps_) {
    if (each.identity == wanted.identity) return true;
  }
  for (const planned* each = outer; each; each = each->outer) {
    if (each->identity == wanted.identity) impossible_ = cycle(*each, outer);
  }
  if (impossible_) return false;
  const planned mine{wanted.identity, *wanted.info, outer};
  component::implementation* const found = overrides_.find(wanted.identity);
  const component::factory& source = found ? found->factory : wanted.info->factory;
  if (source.needs && !plan(source.needs(), &mine)) return false;
  if (source.kind == component::shape::required) impossible_ = not_provided(mine);
  if (source.kind == component::shape::with_clean_up) impossible_ = cannot_wait(mine);
  if (impossible_) return false;
  steps_.push_back(
      {wanted.identity, wanted.info, &source, found ? found->shared_from_this() : nullptr});
  return true;
}

std::exception_ptr async_resolution::cycle(const planned& start, const planned* from) const {
  std::string path = start.info.name();
  for (const planned* each = from; each; each = each->outer) {
    path.insert(0, each->info.name() + " -> ");
    if (each == &start) break;
  }
  return std::make_exception_ptr(component::cycle(path, requester_));
}

std::exception_ptr async_resolution::not_provided(const planned& wanted) const {
  const component::dependency_info* const by = wanted.outer ? &wanted.outer->info : nullptr;
  return std::make_exception_ptr(component::not_provided(wanted.info, by, requester_, overrides_));
}

std::exception_ptr async_resolution::cannot_wait(const planned& wanted) const {
  return std::make_exception_ptr(error(
      errc::misused_dependency, "dependency '" + wanted.info.name() + "' of " +
                                    requester_.describe(requester_.object) +
                                    " cleans up with msgbus::yield, which cannot span a co_await; "
                                    "use async::yield"));
}

// --- The steps. ----------------------------------------------------------------------------------

asio::awaitable<void> async_resolution::run_from(std::size_t at, bool is_yielded) {
  struct released {
    async_resolution& in;
    const std::size_t first;
    ~released() { in.release_from(first); }
  };
  const released at_end{*this, at};  // if the coroutine is destroyed
  pointers needed;
  std::optional<async_yielding> yielding;
  std::exception_ptr thrown;
  bool is_fresh = !is_yielded;
  try {
    for (bool more = true; more;) {
      // Dependencies run in the handler's coroutine. A change that one of them made to the
      // cancellation state must not affect the next.
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.slot().is_connected()) {
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        if (is_stop_requested(here, state)) throw_aborted("an invocation");
        if (!is_fresh && state.cancelled() == asio::cancellation_type::none) {
          co_await asio::this_coro::throw_if_cancelled(true);
          co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        }
      }
      is_fresh = false;
      auto running = start_next(at, needed, yielding);
      if (running.valid()) co_await std::move(running);
      more = next_ended(at, yielding);
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  release_from(at_end.first);
  if (thrown) failed_.add_new(thrown);
  if (!is_yielded) co_return;
  // Clean-up may await although the invocation was cancelled. So the coroutine's cancellation state
  // is reset: otherwise every awaited verb would end at once. The consumer loop still knows of the
  // cancellation.
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  // An inner dependency may have swallowed the failure. This one gets it nevertheless.
  if (!failed_.empty()) std::rethrow_exception(thrown ? thrown : failed_[0]);
}

/// Calls dependencies until one must be awaited, and returns its awaitable; after the last, that of
/// the rest.
asio::awaitable<void> async_resolution::start_next(std::size_t& at, pointers& needed,
                                                   std::optional<async_yielding>& yielding) {
  for (; at < steps_.size(); ++at) {
    step& next = steps_[at];
    const auto needs =
        next.factory->needs ? next.factory->needs() : std::span<const component::dependency_ref>();
    void** const values = find_values(needs, needed);
    if (next.factory->kind == component::shape::awaited) {
      const auto start = reinterpret_cast<async_call>(next.factory->async_call());
      return start(next.entity(), values, next.held);
    }
    if (next.factory->kind == component::shape::awaited_with_clean_up) {
      const auto start = reinterpret_cast<async_yielding_call>(next.factory->async_call());
      return start(next.entity(), values, yielding.emplace(*this, *next.info, next.value, at + 1));
    }
    next.held = next.factory->make(next.entity(), values);
    next.value = next.held->value();
  }
  if (impossible_) std::rethrow_exception(impossible_);
  if (once_ && !once_->is_kept) throw component::once_without_keeper(once_->handler, requester_);
  return (*rest_)(find_values(needs_, needed));
}

/// Ends the awaited step. Returns whether another step follows.
bool async_resolution::next_ended(std::size_t& at, const std::optional<async_yielding>& yielding) {
  if (at == steps_.size()) return false;  // the rest has ended
  if (yielding) {
    yielding->ended();
    return false;
  }
  step& ended = steps_[at++];
  ended.value = ended.held->value();
  return true;
}

void** async_resolution::find_values(std::span<const component::dependency_ref> needs,
                                     pointers& needed) const {
  void** const values = needed.of(needs.size());
  for (std::size_t i = 0; i < needs.size(); ++i) {
    std::size_t at = 0;
    while (steps_[at].identity != needs[i].identity) ++at;
    values[i] = steps_[at].value;
  }
  return values;
}

void async_resolution::release_from(std::size_t first) noexcept {
  for (std::size_t at = steps_.size(); at-- > first;) {
    steps_[at].held.reset();
    steps_[at].override.reset();
  }
}

// --- yield ---------------------------------------------------------------------------------------

asio::awaitable<void> async_yielding::run(void* value) {
  if (yielded_) return run_again();
  yielded_ = true;
  value_ = as_wanted ? as_wanted(value) : value;
  return scope_.run_from(next_, true);
}

asio::awaitable<void> async_yielding::run_again() {
  const auto twice = std::make_exception_ptr(component::yielded_twice(info_));
  scope_.failed(twice);  // recorded, in case the dependency catches it
  std::rethrow_exception(twice);
  co_return;
}

void async_yielding::ended() const {
  if (yielded_ || (scope_.once_ && scope_.once_->was_handled)) return;
  throw component::never_yielded(info_);
}

once_request* async_yielding::once() const noexcept { return scope_.once_; }

}  // namespace msgbus::exec

namespace msgbus::async::detail {

void run_to_end(asio::awaitable<void> work) {
  asio::io_context own(1);
  std::exception_ptr failed;
  asio::co_spawn(own, std::move(work),
                 [&](std::exception_ptr failure) { failed = std::move(failure); });
  own.run();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace msgbus::async::detail
