#include <msgbus/exec/async_scope.hpp>

#include <msgbus/core/error.hpp>
#include <msgbus/exec/lane_executor.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::exec {

/// Where a value comes from: an override, which is kept while it is used, or the default.
struct async_scope::source {
  std::shared_ptr<di::implementation> override;
  di::recipe recipe;
};

async_scope::source async_scope::find(di::want wanted) const {
  const snapshot::guard guard(overrides_.guarded());
  if (di::implementation* const found = overrides_.find(wanted.identity)) {
    return {found->shared_from_this(), found->recipe};
  }
  return {nullptr, wanted.info->recipe};
}

asio::awaitable<void> async_scope::provide_all(std::span<const di::want> needs,
                                               std::vector<void*>& needed,
                                               function_ref<asio::awaitable<void>()> rest) {
  needed.resize(needs.size());
  return provide_from(needs, 0, needed, rest);
}

asio::awaitable<void> async_scope::provide_from(std::span<const di::want> needs, std::size_t index,
                                                std::vector<void*>& needed,
                                                function_ref<asio::awaitable<void>()> rest) {
  // Dependencies run in the handler's coroutine. What one of them did to its cancellation state was
  // for itself alone.
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (is_told_to_end(here, state)) {
    throw asio::system_error(asio::error::operation_aborted, "an invocation");
  }
  if (index != 0 && state.slot().is_connected() &&
      state.cancelled() == asio::cancellation_type::none) {
    co_await asio::this_coro::throw_if_cancelled(true);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  if (index == needs.size()) {
    co_await rest();
  } else {
    auto next = [&, index](void* value) {
      needed[index] = value;
      return provide_from(needs, index + 1, needed, rest);
    };
    co_await provide(needs[index], next);
  }
}

asio::awaitable<void> async_scope::provide(di::want wanted, async_rest rest) {
  for (const resolution* each = innermost_; each; each = each->outer) {
    if (each->identity != wanted.identity) continue;
    if (!each->value) throw_cycle(*each);
    co_await rest(each->value);
    co_return;
  }
  resolution mine{wanted.identity, *wanted.info, nullptr, innermost_};
  innermost_ = &mine;
  struct restore {
    async_scope& in;
    const resolution* outer;
    ~restore() { in.innermost_ = outer; }
  };
  const restore at_end{*this, mine.outer};
  const source from = find(wanted);
  auto resolved = [&](void* value) {
    mine.value = value;
    return rest(value);
  };
  std::vector<void*> needed;
  auto with_needs = [&] { return call(from, *wanted.info, needed, resolved); };
  const auto needs = from.recipe.needs ? from.recipe.needs() : std::span<const di::want>();
  co_await provide_all(needs, needed, with_needs);
}

asio::awaitable<void> async_scope::call(const source& from, const di::dependency_info& info,
                                        std::vector<void*>& needed, async_rest rest) {
  void* const entity = from.override ? from.override->entity() : nullptr;
  switch (from.recipe.kind) {
    case di::shape::required: throw_not_provided(info);
    case di::shape::with_clean_up:
      throw error(errc::misused_dependency,
                  "dependency '" + info.name() + "' of " + who_.describe(who_.who) +
                      " cleans up with msgbus::yield, which cannot wait for what suspends; "
                      "async::yield can");
    case di::shape::plain: {
      const std::unique_ptr<di::held> value = from.recipe.make(entity, needed.data());
      co_await rest(value->value());
      break;
    }
    case di::shape::awaited:
    case di::shape::awaited_with_clean_up: {
      const auto start = reinterpret_cast<async_call>(from.recipe.async_call());
      co_await start(entity, needed.data(), *this, info, rest);
      break;
    }
  }
}

void async_scope::throw_cycle(const resolution& start) const {
  std::string path = start.info.name();
  for (const resolution* each = innermost_; each; each = each->outer) {
    if (each->value) continue;  // only what is being resolved leads back here
    path.insert(0, each->info.name() + " -> ");
    if (each == &start) break;
  }
  throw error(errc::misused_dependency,
              "dependency cycle: " + path + ", asked for by " + who_.describe(who_.who));
}

void async_scope::throw_not_provided(const di::dependency_info& info) const {
  std::string by = who_.describe(who_.who);
  for (const resolution* each = innermost_->outer; each; each = each->outer) {
    if (each->value) continue;
    by = "dependency '" + each->info.name() + "' of " + by;
    break;
  }
  throw error(errc::not_provided, "dependency '" + info.name() + "' (" + std::string(info.type) +
                                      ") is required by " + by + ", and no override provides it" +
                                      overrides_.namesake_of(info));
}

asio::awaitable<void> async_yielding::run(void* value) {
  if (yielded_) {
    const auto twice = std::make_exception_ptr(error(
        errc::misused_dependency, "dependency '" + info_.name() + "' called its yield twice"));
    scope_.failed(twice);  // noted here, in case the dependency catches it
    std::rethrow_exception(twice);
  }
  yielded_ = true;
  std::exception_ptr thrown;
  try {
    co_await rest_(value);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) scope_.failed(thrown);
  // Clean-up may await, although the invocation was cancelled; verbs too, which would else be told
  // at once. Whether it was cancelled is known by its lane.
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  // A dependency further in has swallowed the failure: this one sees it all the same.
  if (!scope_.failed().empty()) std::rethrow_exception(thrown ? thrown : scope_.failed()[0]);
}

void async_yielding::ended() const {
  if (yielded_) return;
  throw error(errc::misused_dependency,
              "dependency '" + info_.name() + "' returned without calling its yield");
}

}  // namespace msgbus::exec
