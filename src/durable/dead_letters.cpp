#include <msgbus/durable/database.hpp>

#include <msgbus/async/shielded.hpp>

#include "durable/database_core.hpp"
#include "durable/jobs.hpp"
#include "durable/read_request.hpp"

namespace msgbus::durable {

namespace {

asio::awaitable<void> wait_for(std::shared_ptr<detail::letter_job> of) {
  while (!of->ended.done.is_set()) {
    try {
      co_await of->ended.done.wait();
    } catch (const std::bad_alloc&) {
      continue;  // the writer has the request
    }
  }
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
  return detail::read<std::vector<dead_letter>>(
      core_, "dead_letters", [prefix = core_->options().prefix, most](detail::connection& in) {
        return detail::read_dead_letters(in, prefix, most);
      });
}

asio::awaitable<bool> database::replay(std::int64_t id) {
  return change(core_, detail::letter_job::kind::replay, id);
}

asio::awaitable<bool> database::discard(std::int64_t id) {
  return change(core_, detail::letter_job::kind::discard, id);
}

}  // namespace msgbus::durable
