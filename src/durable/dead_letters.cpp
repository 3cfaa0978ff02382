#include <msgbus/durable/database.hpp>

#include <msgbus/async/shielded.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

#include "durable/database_core.hpp"
#include "durable/jobs.hpp"

#include <asio/this_coro.hpp>

namespace msgbus::durable {

namespace {

struct list_request {
  std::vector<dead_letter> letters;
  detail::completion ended;
};

asio::awaitable<std::vector<dead_letter>> list(std::shared_ptr<detail::database_core> in,
                                               std::size_t most) {
  auto asked = std::make_shared<list_request>();
  const std::string prefix = in->options().prefix;
  in->read([asked, prefix, most](detail::connection* from, const std::exception_ptr& why_not) {
    std::exception_ptr failure = why_not;
    if (from != nullptr) {
      try {
        asked->letters = detail::read_dead_letters(*from, prefix, most);
      } catch (...) {
        failure = std::current_exception();
      }
    }
    asked->ended.end(failure);
  });
  co_await asked->ended.done.wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "dead_letters");
  if (asked->ended.failure) std::rethrow_exception(asked->ended.failure);
  co_return std::move(asked->letters);
}

asio::awaitable<void> wait_for(std::shared_ptr<detail::letter_job> of) {
  co_await of->ended.done.wait();
}

asio::awaitable<bool> change(std::shared_ptr<detail::database_core> in,
                             detail::letter_job::kind kind, std::int64_t id) {
  auto asked = std::make_shared<detail::letter_job>(*in, kind, id);
  (void)in->submit(asked);
  auto waiting = async::shielded(wait_for(asked));
  co_await std::move(waiting);
  if (asked->ended.failure) std::rethrow_exception(asked->ended.failure);
  co_return asked->was_there;
}

}  // namespace

asio::awaitable<std::vector<dead_letter>> database::dead_letters(std::size_t most) {
  return list(core_, most);
}

asio::awaitable<bool> database::replay(std::int64_t id) {
  return change(core_, detail::letter_job::kind::replay, id);
}

asio::awaitable<bool> database::discard(std::int64_t id) {
  return change(core_, detail::letter_job::kind::discard, id);
}

}  // namespace msgbus::durable
