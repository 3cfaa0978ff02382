#include <msgbus/async/detail/bare_handler.hpp>

#include <msgbus/async/detail/attempts.hpp>
#include <msgbus/async/detail/core.hpp>

#include <utility>

namespace msgbus::async::detail {

namespace {

asio::awaitable<void> run(bare_handler what, value_ref message, attempt& mine) {
  try {
    asio::awaitable<void> running;
    what.call(what.f, message, mine.known, &running);
    if (what.is_coroutine) co_await std::move(running);
  } catch (...) {
    mine.failed.add(std::current_exception());
  }
}

}  // namespace

void start_bare(bare_handler what, bool is_plain, const held_policy& how, routing::entry& entry,
                delivery& d, asio::awaitable<void>& start) {
  if (is_plain) return what.call(what.f, d.message, *d.known, &start);
  const exec::shared_message& shared = d.share_message();
  auto make = [what, message = d.message](attempt& mine) { return run(what, message, mine); };
  start = run_attempts(d.component->self(), entry, shared, *d.known, d.message.type->name, how,
                       make, d.failed);
}

}  // namespace msgbus::async::detail
