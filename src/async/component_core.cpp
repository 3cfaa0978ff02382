#include <msgbus/detail/async/component_core.hpp>

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/detail/policy/stored_policy.hpp>
#include <msgbus/error.hpp>

#include "async/await_handlers.hpp"
#include "async/verb_run.hpp"
#include "core/text.hpp"
#include "observe/active_span.hpp"

#include <cstdio>

namespace msgbus::async::detail {

namespace {

void say_abandoned(const char* component, std::uint64_t messages, const std::string& first) {
  std::fprintf(stderr,
               "msgbus: %s or its execution context was destroyed with %llu unfinished message%s "
               "(the first: %s), and no observer is attached; co_await drain() first\n",
               component, static_cast<unsigned long long>(messages), messages == 1 ? "" : "s",
               first.c_str());
}

void say(const char* text, const msgbus::step& step, const std::exception_ptr& failure) noexcept {
  msgbus::detail::say({text, " ", step.message, step.topic.empty() ? "" : " on ", step.topic,
                       " failed, and no observer is attached: "},
                      failure);
}

void say_failed(const msgbus::step& step, const failures& failed) noexcept {
  for (std::size_t i = 0; i < failed.size(); ++i) say("a handler of", step, failed[i]);
}

}  // namespace

component_core::component_core(const char* kind, routing::router& routes,
                               const asio::any_io_executor& executor,
                               const mailbox_options& options, std::shared_ptr<provider> overrides)
    : shared(std::move(overrides)),
      routes_(routes),
      unreported_(kind),
      mailbox(executor, options, *this) {}

bool component_core::run_inline(value_ref, const msgbus::context&, failures&, bool) {
  return false;
}

void component_core::begin(component_run& d, const attachments* by) {
  if (!d.from_mailbox) {
    if (closed()) throw_closed(d.step());
    counts_.add(outcome::begun);
  }
  if (by && by->observer) by->observer->accepted(d.step());
  d.begun = true;  // from here on it is abandoned if anything throws
  d.end = routes_.next_order();
  if (by && by->times) begin_times(d, *by->times);
}

void component_core::give(verb_run& run) { run.deliver(*this, 0); }

void component_core::nothing_ran(const msgbus::step&, value_ref, bool) {
}  // it has settled that itself

void component_core::handler_ended(component_run& d, const std::exception_ptr& failure) {
  if (failure) d.failed.add(failure);
  ++d.ran;
  if (d.watched || shared.attached_observer.attachments_now()) [[unlikely]]
    handler_ended_watched(d);
  d.next = {};
}

void component_core::notify(const component_run& d, const attachments& by,
                            const routing::entry& handler, std::size_t failed_before) {
  for (std::size_t i = failed_before; i < d.failed.size(); ++i) {
    if (by.observer) by.observer->failed(d.step(), d.failed[i]);
    by.record_failure(d.step(), &handler, d.failed[i]);
  }
  if (by.observer && d.failed.size() == failed_before) by.observer->delivered(d.step());
}

void component_core::record_failure(const msgbus::step& message,
                                    const std::exception_ptr& why) const noexcept {
  if (const attachments* const by = shared.attached_observer.attachments_now()) {
    by->record_failure(message, nullptr, why);
  }
}

void component_core::record_unrouted(const msgbus::step& message) const noexcept {
  if (const attachments* const by = shared.attached_observer.attachments_now())
    by->record_unrouted(message);
}

std::exception_ptr component_core::mismatch(const component_run&) const { return nullptr; }

std::string component_core::describe_handlers(std::string_view) const { return {}; }

std::exception_ptr component_core::mismatch_or_why(const component_run& d) const noexcept {
  try {
    return mismatch(d);
  } catch (...) {
    return std::current_exception();  // no memory for its text
  }
}

void component_core::settle(component_run& d, observer* observer) {
  d.settled = true;
  if (d.only != 0 && d.ran == 0) d.cancelled = d.stopped = true;  // its handler has gone
  // Cancelled when its last handler had ended well: that is well.
  if (d.cancelled && !d.stopped && d.failed.empty()) d.cancelled = false;
  if (d.ran == 0 && d.refused && !d.with_others && !d.cancelled) {
    d.failed.add(mismatch_or_why(d));
    if (observer && d.from_mailbox) observer->failed(d.step(), d.failed[0]);
    record_failure(d.step(), d.failed[0]);
  }
  if (d.ran == 0 && !d.cancelled && !written_off_.load(std::memory_order_acquire)) {
    counts_.add(outcome::unrouted);
    if (observer) observer->unrouted(d.step());
    record_unrouted(d.step());
  }
  if (d.from_mailbox && !observer) {
    for (std::size_t i = 0; i < d.failed.size(); ++i) {
      if (d.cancelled && exec::is_aborted(d.failed[i])) continue;  // as it was told to
      say("a handler of", d.step(), d.failed[i]);
    }
  }
  if (d.cancelled) {
    if (observer) {
      observer->abandoned(d.step());
    } else if (d.from_mailbox && !d.listener) {
      unreported_.add(d.step().message);
    }
    count(outcome::abandoned);
    report_abandoned(d.message);
  } else if (!count(d.failed.empty() ? outcome::handled : outcome::failed)) {
    // As it was counted when a drain wrote it off.
    if (observer) observer->abandoned(d.step());
    report_abandoned(d.message);
  } else if (const message_hooks* const attached = hooks(); attached && !d.failed.empty()) {
    attached->failed(d.message, d.failed, *d.ctx);
  }
  if (d.listener) {
    d.listener->settled(d.cancelled        ? outcome::abandoned
                        : d.failed.empty() ? outcome::handled
                                           : outcome::failed,
                        d.ran, d.failed);
  }
}

void component_core::cut_off_run(component_run& d) noexcept {
  const routing::guard guard(routes_.guarded());
  d.settled = true;
  d.watched.reset();
  if (observer* const observer = shared.attached_observer.get()) {
    observer->abandoned(d.step());
  } else if (d.from_mailbox && !d.listener) {
    unreported_.add(d.step().message);
  }
  count(outcome::abandoned);
  report_abandoned(d.message);
  if (d.listener) d.listener->settled(outcome::abandoned, d.ran, d.failed);
}

void component_core::unreported::add(std::string_view message) noexcept {
  if (drained_.load(std::memory_order_relaxed)) return;
  if (messages_.fetch_add(1, std::memory_order_relaxed) != 0) return;
  try {
    first_ = std::make_unique<const std::string>(message);
  } catch (const std::bad_alloc&) {
    return;  // the name is left out
  }
}

component_core::unreported::~unreported() {
  if (messages_ != 0) say_abandoned(component.text(), messages_, first_ ? *first_ : std::string());
}

void component_core::give_up(component_run& d) noexcept {
  const routing::guard guard(routes_.guarded());
  d.cancelled = d.stopped = true;
  d.next = {};
  if (!d.begun) {
    if (closed()) return count_rejected(d.step());
    counts_.add(outcome::begun);
    if (observer* const observer = shared.attached_observer.get()) observer->accepted(d.step());
    d.begun = true;
  }
  cut_off_run(d);
}

exec::keyed_ptr component_core::key_for(value_ref message, std::string_view topic) const {
  const rare_state* const made = rare_.get();
  if (!made || !made->keys.has_any()) return nullptr;
  const routing::guard guard(routes().guarded());
  return made->keys.key(message, topic);
}

void component_core::set_default_policy(policy handler_policy) {
  msgbus::detail::check(handler_policy);
  if (handler_policy.executor) {
    throw error(errc::unsupported,
                "a default policy cannot have an executor: give it to the component, whose "
                "handlers then all run there");
  }
  if (!handler_policy.once.empty()) {
    throw error(errc::unsupported,
                "a default policy cannot have once: it names one handler, and the other handlers "
                "would skip the messages of that one");
  }
  rare_state& kept = rare_.made();
  const std::lock_guard lock(kept.mutex);
  std::swap(kept.defaults, handler_policy);
}

policy component_core::policy_for(policy* own) const {
  if (own) msgbus::detail::check(*own);
  policy asked = own ? std::move(*own) : policy();
  rare_state* const kept = rare_.get();
  if (!kept) return asked;
  const std::lock_guard lock(kept->mutex);
  return msgbus::detail::with_defaults(std::move(asked), kept->defaults);
}

// --- the mailbox's side ----------------------------------------------------------------------

/// The run of a mailbox message whose handlers may suspend.
struct component_core::handling {
  handling(component_core& in, exec::queued_message& message, const exec::message_head& head)
      : ctx(head.ctx()), d(in, head.message, ctx) {
    d.from_mailbox = true;
    d.listener = head.listener;
    d.storage = &message;
    d.share = [](void* storage) { return static_cast<exec::queued_message*>(storage)->share(); };
  }
  static void* operator new(std::size_t) { return exec::take_block(); }
  static void operator delete(void* block) noexcept { exec::give_back_block(block); }

  /// For the coroutine that goes on with it.
  struct in_coroutine {
    std::unique_ptr<handling> owned;
    [[nodiscard]] component_run& in_hand() noexcept { return owned->d; }
  };

  msgbus::context ctx;
  component_run d;
};

bool component_core::handle(exec::queued_message& message, asio::awaitable<void>& rest) {
  const exec::message_head head = message.head();
  const cause_scope cause(head.origin);
  if (!head.listener) [[likely]] {
    const msgbus::context ctx = head.ctx();
    failures failed;
    if (run_inline(head.message, ctx, failed, true)) [[likely]] {
      if (!failed.empty()) [[unlikely]]
        say_failed({head.message.type->name, head.topic, called().name()}, failed);
      return true;
    }
  }
  static_assert(sizeof(handling) <= exec::block_bytes);
  std::unique_ptr<handling> now;
  try {
    now = std::make_unique<handling>(*this, message, head);
  } catch (const std::bad_alloc&) {
    abandoned(message);
    return true;
  }
  if (!advance(now->d)) return true;
  rest =
      await_handlers<void, in_loop<handling::in_coroutine>>(handling::in_coroutine{std::move(now)});
  return false;
}

void component_core::refuse(component_run& d, const std::exception_ptr& why) noexcept {
  const routing::guard guard(routes_.guarded());
  observer* const observer = shared.attached_observer.get();
  d.settled = true;
  if (observer) {
    observer->failed(d.step(), why);
  } else {
    say("the command", d.step(), why);
  }
  record_failure(d.step(), why);
  count(outcome::failed);
}

void component_core::abandoned(const exec::queued_message& message) noexcept {
  abandon(message, true, false);
}

void component_core::give_up_scheduled(const exec::queued_message& message,
                                       bool reported) noexcept {
  abandon(message, false, reported);
}

void component_core::abandon(const exec::queued_message& message, bool was_accepted,
                             bool reported) noexcept {
  const exec::message_head head = message.head();
  const msgbus::step step{head.message.type->name, head.topic, called().name()};
  const routing::guard guard(routes_.guarded());
  if (observer* const observer = shared.attached_observer.get()) {
    observer->accepted(step);  // other observers hear it when their handlers begin
    observer->abandoned(step);
  } else if (!head.listener && !reported) {
    unreported_.add(step.message);
  }
  if (was_accepted) {
    count(outcome::abandoned);
  } else {
    count_begun(outcome::abandoned);
  }
  report_abandoned(head.message);
  if (head.listener) head.listener->settled(outcome::abandoned, 0, {});
}

void component_core::failed_to_make(const msgbus::step& step,
                                    const std::exception_ptr& why) noexcept {
  const routing::guard guard(routes_.guarded());
  if (observer* const observer = shared.attached_observer.get()) {
    observer->accepted(step);
    observer->failed(step, why);
  } else {
    msgbus::detail::say({"every() could not make ", step.message, step.topic.empty() ? "" : " on ",
                         step.topic, ", and no observer is attached: "},
                        why);
  }
  record_failure(step, why);
  count_begun(outcome::failed);
}

void component_core::dropped(const exec::queued_message& message) noexcept {
  const exec::message_head head = message.head();
  const msgbus::step step{head.message.type->name, head.topic, called().name()};
  const routing::guard guard(routes_.guarded());
  if (observer* const observer = shared.attached_observer.get()) {
    observer->accepted(step);
    observer->dropped(step);
  }
  count(outcome::dropped);
  if (head.listener) head.listener->settled(outcome::dropped, 0, {});
}

void component_core::failed(const exec::queued_message& message,
                            const std::exception_ptr& why) noexcept {
  const exec::message_head head = message.head();
  const msgbus::step step{head.message.type->name, head.topic};
  const routing::guard guard(routes_.guarded());
  failures of_key;
  of_key.add(why);
  if (observer* const observer = shared.attached_observer.get()) {
    observer->accepted(step);
    observer->failed(step, why);
  } else {
    say("the key of", step, why);
  }
  record_failure(step, why);
  if (!count(outcome::failed)) {
    report_abandoned(head.message);
  } else if (const message_hooks* const attached = hooks()) {
    attached->failed(head.message, of_key, head.ctx());
  }
  if (head.listener) head.listener->settled(outcome::failed, 0, of_key);
}

void component_core::dropped_newest(value_ref message, std::string_view topic) noexcept {
  const routing::guard guard(routes_.guarded());
  if (observer* const observer = shared.attached_observer.get()) {
    const msgbus::step step{message.type->name, topic, called().name()};
    observer->accepted(step);
    observer->dropped(step);
  }
  count_begun(outcome::dropped);
}

void component_core::refused(value_ref message, std::string_view topic) noexcept {
  count_rejected({message.type->name, topic, called().name()});
}

void component_core::overran(const msgbus::step& step,
                             std::chrono::steady_clock::duration took) noexcept {
  const routing::guard guard(routes_.guarded());
  counts_.add(outcome::overran);
  if (observer* const observer = shared.attached_observer.get()) observer->overran(step, took);
}

void component_core::throw_closed(const msgbus::step& message) {
  count_rejected({message.message, message.topic, called().name()});
  throw error(errc::closed, std::string(called().text()) + " is closed and accepts no " +
                                std::string(message.message));
}

}  // namespace msgbus::async::detail
