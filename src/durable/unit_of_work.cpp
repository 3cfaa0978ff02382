#include <msgbus/durable/unit_of_work.hpp>

#include "durable/database_core.hpp"

namespace msgbus::durable {

asio::awaitable<void> unit_of_work_in::operator()(async::yield<transaction&> yield) const {
  auto work = [yield](transaction& t) -> asio::awaitable<void> { co_await yield(t); };
  auto running = in_->transaction(std::move(work));
  co_await std::move(running);
}

}  // namespace msgbus::durable
