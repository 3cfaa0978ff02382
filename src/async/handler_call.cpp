#include <msgbus/detail/async/handler_call.hpp>

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/service_core.hpp>
#include <msgbus/detail/exec/async_resolution.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/error.hpp>

#include "async/attempts.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace msgbus::async::detail {

namespace {

/// A handler with its message and all that it refers to.
struct handler_and_message {
  const handler_call* handler;
  void* f;
  value_ref message;
};

/// Calls the handler; without effect on `running` if that is a plain function.
void call(const handler_and_message& of, void* const* needed, const context& ctx,
          asio::awaitable<void>& running) {
  of.handler->call(of.f, of.message, needed, ctx, &running);
}

/// The values of the handler's dependencies, none of them overridden.
class kept_needs {
 public:
  explicit kept_needs(const exec::needs& needs)
      : needs_(needs), outside_(needs.all().size() * sizeof(void*) + padded_size(), alignment()) {
    if (!fits()) {
      place_ = outside_.take();
      needed_ = reinterpret_cast<void**>(static_cast<std::byte*>(place_) + padded_size());
    }
    needs.keep(place_, needed_);
  }
  kept_needs(const kept_needs&) = delete;
  kept_needs& operator=(const kept_needs&) = delete;
  ~kept_needs() {
    if (needs_.drop) needs_.drop(place_);
  }

  [[nodiscard]] void** needed() noexcept { return needed_; }

 private:
  [[nodiscard]] bool fits() const noexcept {
    return needs_.size <= sizeof inside_ && needs_.alignment <= alignof(std::max_align_t) &&
           needs_.all().size() <= few_.size();
  }
  [[nodiscard]] std::size_t padded_size() const noexcept {
    return (needs_.size + sizeof(void*) - 1) / sizeof(void*) * sizeof(void*);
  }
  [[nodiscard]] std::size_t alignment() const noexcept {
    return std::max(needs_.alignment, alignof(void*));
  }

  const exec::needs& needs_;
  std::array<void*, 4> few_{};
  exec::recycled_memory outside_;  // the values, and behind them the pointers to those
  alignas(std::max_align_t) std::byte inside_[64];
  void* place_ = inside_;
  void** needed_ = few_.data();
};

asio::awaitable<void> run_kept(handler_and_message of, const context& ctx, failures& failed) {
  try {
    kept_needs all(*of.handler->needs);
    asio::awaitable<void> running;
    call(of, all.needed(), ctx, running);
    if (of.handler->is_coroutine) co_await std::move(running);
  } catch (...) {
    failed.add(std::current_exception());
  }
}

asio::awaitable<void> run_in_scope(handler_and_message of, component::injection with,
                                   failures& failed, exec::once_request* once = nullptr) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  exec::async_resolution in(with.overrides, with.requested_by, once);
  auto handle = [&](void* const* needed) {
    asio::awaitable<void> running;
    call(of, needed, with.context, running);
    return running;
  };
  try {
    const exec::needs* const needs = of.handler->needs;
    in.begin(needs ? needs->all() : std::span<const component::dependency_ref>(), handle);
    co_await in.run();
  } catch (...) {
    in.failed(std::current_exception());
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  failed.take(in.failed());
}

asio::awaitable<void> run_with_needs(const handler_and_message& of,
                                     const component::injection& with, failures& failed) {
  if (of.handler->needs->keep && with.overrides.empty()) return run_kept(of, with.context, failed);
  return run_in_scope(of, with, failed);
}

/// The wish of one handler, for one message.
class once_for_message final : public exec::once_request {
 public:
  once_for_message(const handler_run& run, const context& ctx) noexcept
      : once_request(run.policy->once, ctx.message_id()), asked_(run.asked) {}

  const exec::kept_answer* answer() override {
    if (!asked_ || !asked_->encoder) return nullptr;
    asked_->answer = std::make_unique<const exec::kept_answer>(asked_->encoder->encode(*asked_));
    return asked_->answer.get();
  }
  void answered_before(std::optional<exec::kept_answer> given) override {
    if (!asked_) return;
    if (!given) {
      throw error(errc::unsupported, "the operation '" + asked_->name +
                                         "' was carried out before for this message, and its "
                                         "answer was not kept");
    }
    asked_->answer = std::make_unique<const exec::kept_answer>(std::move(*given));
  }

 private:
  command* const asked_;  // null: the message is none
};

asio::awaitable<void> run_with_effect_once(handler_and_message of, component::injection with,
                                           const handler_run& run, failures& failed) {
  once_for_message once(run, with.context);
  auto running = run_in_scope(of, with, failed, &once);
  co_await std::move(running);
}

asio::awaitable<void> run_bare(handler_and_message of, const context& ctx, failures& failed) {
  try {
    asio::awaitable<void> running;
    call(of, nullptr, ctx, running);
    if (of.handler->is_coroutine) co_await std::move(running);
  } catch (...) {
    failed.add(std::current_exception());
  }
}

}  // namespace

asio::awaitable<void> start_once(const handler_call& handler, const handler_in_hand& which,
                                 component_run& d) {
  const handler_and_message of{&handler, which.f, d.message};
  if (handler.needs) return run_with_needs(of, d.injection_for(which.entry), d.failed);
  asio::awaitable<void> running;
  call(of, nullptr, *d.ctx, running);
  return running;
}

asio::awaitable<void> start_attempt(const handler_run& run, const context& ctx, failures& failed) {
  const handler_and_message of{run.call, run.f, run.value};
  const component::injection with{run.component->shared.overrides_state(),
                                  ctx,
                                  {run.handler.get(), &component::describe_entry}};
  if (!run.policy->once.empty()) return run_with_effect_once(of, with, run, failed);
  if (!run.call->needs) return run_bare(of, ctx, failed);
  return run_with_needs(of, with, failed);
}

bool runs_inline(const handler_run& run) noexcept {
  return !run.call->is_coroutine && !run.call->needs && run.policy->once.empty();
}

void run_attempt_inline(const handler_run& run, const context& ctx, failures& failed) {
  try {
    asio::awaitable<void> none;
    call({run.call, run.f, run.value}, nullptr, ctx, none);
  } catch (...) {
    failed.add(std::current_exception());
  }
}

asio::awaitable<void> start_attempt(const handler_call& handler, void* f, value_ref message,
                                    const component::injection& with, failures& failed) {
  const handler_and_message of{&handler, f, message};
  if (handler.needs) return run_with_needs(of, with, failed);
  asio::awaitable<void> running;
  call(of, nullptr, with.context, running);
  return running;
}

surrounded surrounding(const handler_call& handler, const handler_in_hand& which,
                       const component_run& d) noexcept {
  const bool has_deadline = d.ctx->deadline().has_value();
  if (!which.policy && !has_deadline) return surrounded::by_nothing;
  if (!handler.is_coroutine || (which.policy && which.policy->attempts_are_coroutines())) {
    return surrounded::by_policy;
  }
  const bool is_limited = has_deadline || which.policy->limits_time() ||
                          d.outer_deadline() != exec::clock::time_point::max();
  return is_limited ? surrounded::by_time : surrounded::by_policy;
}

asio::awaitable<void> start_attempts(const handler_call& handler, const handler_in_hand& which,
                                     component_run& d, std::shared_ptr<const void> keep,
                                     std::string_view name, command* asked) {
  return run_attempts(
      {d.component->self(), routing::entry_pin(which.entry), &handler, which.f, std::move(keep),
       d.message, *d.ctx, name, &policy_of(which), d.from_mailbox, std::move(d.entered), asked},
      d.failed);
}

step_taken start_handler(const handler_call& handler, const handler_in_hand& which,
                         component_run& d, asio::awaitable<void>* start) {
  if (!start) {
    d.current = surrounding(handler, which, d);
  } else if (d.current == surrounded::by_nothing) {
    *start = start_once(handler, which, d);
  } else if (!start_guarded(handler, which, d, start)) {
    auto shared = d.share_message();  // which may move it
    *start = start_attempts(handler, which, d, std::move(shared), d.message.type->name);
  }
  return step_taken::suspends;
}

bool must_suspend(const exec::needs* needs, const component_run& d) {
  if (!needs) return false;
  const component::provider_state& overrides = d.component->shared.overrides_state();
  if (!overrides.has_async()) return false;
  const routing::guard guard(overrides.guarded());
  return component::any_async(overrides, needs->all());
}

}  // namespace msgbus::async::detail
