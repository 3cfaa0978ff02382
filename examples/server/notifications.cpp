#include "notifications.hpp"

#include <asio/awaitable.hpp>

#include <utility>

#include "domain.hpp"
#include "notice.hpp"

namespace exchange {

void notifications::attach(msgbus::async::consumer& consumer) {
  consumer.handler<account_opened, money_deposited, money_withdrawn, order_placed, order_cancelled>(
      [this](const auto& event) -> asio::awaitable<void> {
        const std::string topic = topic_of(event);
        notice message = notice_of(event, topic, ++count_);
        // Awaited: an event waits in one mailbox, and each notice is with its followers before the
        // next is made.
        co_await publisher_.publish(std::move(message), prefix_ + topic);
      });
}

}  // namespace exchange
