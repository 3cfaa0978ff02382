#include <msgbus/detail/sync/guarded.hpp>

#include <msgbus/detail/policy/duplicate_filter.hpp>
#include <msgbus/error.hpp>
#include <msgbus/sync/policy.hpp>

#include "policy/backoff.hpp"
#include "policy/breaker_access.hpp"
#include "policy/checks.hpp"
#include "policy/limiter_access.hpp"
#include "policy/policy_text.hpp"
#include "sync/dead_letter_store.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace msgbus::sync::detail {

class guards {
 public:
  guards(const policy& handler_policy, replay_target target)
      : breaker(handler_policy.breaker),
        retry{.attempts = handler_policy.retry.attempts, .if_ = handler_policy.retry.if_},
        limiter(handler_policy.rate_limit.limiter || handler_policy.rate_limit.is_plain()
                    ? handler_policy.rate_limit.limiter
                    : std::make_shared<rate_limiter>(handler_policy.rate_limit)),
        filter(handler_policy.deduplicate.is_plain()
                   ? nullptr
                   : std::make_shared<duplicate_filter>(handler_policy.deduplicate.window,
                                                        handler_policy.deduplicate.capacity)),
        key(handler_policy.deduplicate.key),
        letters(handler_policy.dead_letters),
        in(std::move(target)),
        summary(summary_of(handler_policy)) {}

  const std::shared_ptr<circuit_breaker> breaker;
  const msgbus::retry retry;
  const std::shared_ptr<rate_limiter> limiter;
  const std::shared_ptr<duplicate_filter> filter;
  const std::function<std::string(const any_event&)> key;
  const std::shared_ptr<dead_letters> letters;
  const replay_target in;
  const std::string summary;

 private:
  static std::string summary_of(const policy& given) {
    msgbus::detail::policy_text text;
    text.add_breaker(given.breaker.get());
    text.add_attempts(given.retry.attempts);
    text.add_limit(given.rate_limit);
    text.add_window(given.deduplicate);
    if (given.dead_letters) text.add("dead letters");
    return text.take();
  }
};

std::shared_ptr<const guards> make_guards(const policy& handler_policy, replay_target in,
                                          bool keeps_messages) {
  msgbus::detail::check_one_or_more("retry::attempts", handler_policy.retry.attempts);
  msgbus::detail::check(handler_policy.rate_limit);
  msgbus::detail::check(handler_policy.deduplicate);
  if (handler_policy.dead_letters && !keeps_messages) {
    throw error(errc::unsupported,
                "a sync handler with dead_letters names the types of its messages, and they can be "
                "copied: a letter keeps a copy");
  }
  return std::make_shared<const guards>(handler_policy, std::move(in));
}

std::string text_of(const guards& by) { return by.summary; }

namespace {

breaker_machine::time_point now() noexcept { return std::chrono::steady_clock::now(); }

/// One attempt through the circuit breaker. Throws if that is open.
void try_once(const guards& by, const msgbus::context& ctx, attempt make, failures& failed) {
  std::optional<breaker_machine::ticket> ticket;
  if (by.breaker) {
    const auto asked = now();
    const auto given = breaker_access::try_enter(*by.breaker, asked);
    if (!given.let_through) {
      std::rethrow_exception(breaker_access::refusal(*by.breaker, given, asked));
    }
    ticket = given.let_through;
  }
  try {
    make(ctx, failed);
  } catch (...) {
    failed.add(std::current_exception());
  }
  if (!ticket) return;
  breaker_access::leave(*by.breaker, *ticket, breaker_access::verdict_on(*by.breaker, failed),
                        now());
}

}  // namespace

namespace {

/// As `make_attempts`; also tells how often the handler has run.
void attempt_all(const guards& by, const msgbus::context& ctx, failures& failed, attempt make,
                 std::size_t& made) {
  if (by.limiter) {
    const auto asked = now();
    if (!limiter_access::try_take(*by.limiter, asked)) {
      std::rethrow_exception(limiter_access::refusal(limiter_access::wait(*by.limiter, asked)));
    }
  }
  for (;;) {
    failures mine;
    try_once(by, ctx.repeated(static_cast<unsigned>(made)), make, mine);
    ++made;
    if (mine.empty()) return;
    if (wants_another(made, by.retry, mine)) continue;
    failed.take(mine);
    return;
  }
}

}  // namespace

void make_attempts(const guards& by, const msgbus::context& ctx, failures& failed, attempt make) {
  std::size_t made = 0;
  attempt_all(by, ctx, failed, make, made);
}

namespace {

/// A key that is in flight until the end of this object.
class key_in_flight {
 public:
  key_in_flight(duplicate_filter& in, duplicate_filter::entry& begun) noexcept
      : in_(in), begun_(begun) {}
  key_in_flight(const key_in_flight&) = delete;
  key_in_flight& operator=(const key_in_flight&) = delete;
  ~key_in_flight() { in_.end(begun_, handled_, handled_ ? now() : breaker_machine::time_point()); }
  void handled() noexcept { handled_ = true; }

 private:
  duplicate_filter& in_;
  duplicate_filter::entry& begun_;
  bool handled_ = false;
};

/// Deduplication, and what is inside of it.
void run_unique(const guards& by, const component_run& d, failures& failed, attempt make,
                std::size_t& made) {
  if (!by.filter) return attempt_all(by, d.context, failed, make, made);
  const std::string key =
      by.key ? by.key(any_event(d.message)) : std::string(d.context.message_id());
  if (key.empty()) return attempt_all(by, d.context, failed, make, made);
  const auto answer = by.filter->begin(key, now());
  if (answer.was == duplicate_filter::seen::handled) return;
  if (answer.was == duplicate_filter::seen::in_flight) {
    throw error(errc::in_flight, std::string(d.step().message) + " with the key '" + key +
                                     "' is being handled, and a sync handler does not wait for its "
                                     "end");
  }
  key_in_flight here(*by.filter, *answer.begun);
  attempt_all(by, d.context, failed, make, made);
  if (failed.empty()) here.handled();
}

/// A letter that cannot be kept, for lack of memory, is one more failure.
void keep_letter(const guards& by, const component_run& d, const guarded_message& message,
                 std::size_t attempts, failures& failed) {
  try {
    dead_letter_store::kept_letter added;
    added.entry.message = message.value.type->name;
    added.entry.handler = message.handler.describe();
    added.entry.reason = describe(failed[0]);
    added.entry.attempts = attempts;
    added.entry.at = std::chrono::system_clock::now();
    added.entry.topic = d.context.topic();
    added.entry.message_id = d.context.message_id();
    added.content = {message.value.type, message.copy(message.value.data), by.in,
                     message.handler.order()};
    letter_access::add(*by.letters, std::move(added));
  } catch (...) {
    failed.add(std::current_exception());
  }
}

}  // namespace

void run_guarded(const guards& by, component_run& d, const guarded_message& message, attempt make) {
  failures mine;
  std::size_t made = 0;
  if (!by.letters) {
    run_unique(by, d, mine, make, made);
  } else {
    try {
      run_unique(by, d, mine, make, made);
    } catch (...) {
      mine.add_new(std::current_exception());
    }
    if (!mine.empty()) keep_letter(by, d, message, made, mine);
  }
  d.failed.take(mine);
}

void check_repeatable(const policy& asked, bool has_copies, const std::string& operation) {
  if (!asked.deduplicate.is_plain()) {
    throw error(errc::unsupported, "operation '" + operation +
                                       "' cannot have deduplicate: its caller needs the result");
  }
  if (asked.dead_letters) {
    throw error(errc::unsupported, "operation '" + operation +
                                       "' cannot have dead_letters: its caller is told of its "
                                       "failure, and has the arguments");
  }
  if (has_copies || asked.retry.attempts <= 1) return;
  throw error(errc::unsupported, "operation '" + operation +
                                     "' cannot have retries: one of its arguments cannot be "
                                     "copied, and the first attempt uses it up");
}

}  // namespace msgbus::sync::detail
