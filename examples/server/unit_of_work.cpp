#include "unit_of_work.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace exchange {

asio::awaitable<void> announcer::announce(fact event) {
  co_await awaited.dispatch(event);
  const msgbus::async::receipt sent_to = co_await sent.send(std::move(event));
  if (sent_to.rejected > 0) {
    throw std::runtime_error("the command is carried out, but " + std::to_string(sent_to.rejected) +
                             " consumers refused its event");
  }
}

asio::awaitable<void> unit_of_work(msgbus::async::yield<transaction&> yield,
                                   msgbus::depends<get_books> books,
                                   msgbus::depends<get_announcer> announcer) {
  transaction work(*books);
  co_await yield(work);  // the command runs here; if it throws, so does this, and `work` rolls back
  work.commit();
  for (fact& event : work.facts()) co_await announcer->announce(std::move(event));
}

}  // namespace exchange
