#include <msgbus/durable/unit_of_work.hpp>

#include "durable/database_core.hpp"
#include "durable/once.hpp"

namespace msgbus::durable {

namespace {

/// The handler, and the id of its message in the same transaction.
asio::awaitable<void> run_once(std::shared_ptr<database> in,
                               std::shared_ptr<detail::database_core> core,
                               async::yield<transaction&> yield, exec::once_request& once) {
  detail::run_in_hand mine(core, once);
  auto beginning = mine.begin();
  co_await std::move(beginning);
  auto looking = detail::find_handled(core, once);
  std::optional<detail::handled_before> before = co_await std::move(looking);
  if (before) {
    detail::database_core::count(core->repeated);
    once.was_handled = true;
    once.answered_before(std::move(before->answer));
    co_return;
  }
  auto work = [&core, &once, yield](transaction& t) -> asio::awaitable<void> {
    co_await yield(t);
    detail::keep_id(*core, t, once);
  };
  auto running = in->transaction(std::move(work));
  co_await std::move(running);
}

}  // namespace

asio::awaitable<void> unit_of_work_in::operator()(async::yield<transaction&> yield) const {
  exec::once_request* const once = exec::yield_access::once_of(yield);
  if (once) once->is_kept = true;
  if (once && !once->message.empty()) return run_once(in_, in_->core_, yield, *once);
  auto work = [yield](transaction& t) -> asio::awaitable<void> { co_await yield(t); };
  return in_->transaction(std::move(work));
}

}  // namespace msgbus::durable
