#include "notifications.hpp"

#include <asio/awaitable.hpp>

#include <stdexcept>
#include <utility>

#include "domain.hpp"
#include "notice.hpp"

namespace exchange {
namespace {

[[noreturn]] void throw_refused(std::size_t subscribers, const std::string& topic) {
  throw std::runtime_error(std::to_string(subscribers) + " subscribers refused a notice of " +
                           topic);
}

}  // namespace

void notifications::attach(msgbus::async::consumer& consumer) {
  consumer.handler<account_opened, money_deposited, money_withdrawn, order_placed, order_cancelled>(
      [this](const auto& event) -> asio::awaitable<void> {
        const std::string topic = topic_of(event);
        notice message = notice_of(event, topic, ++count_);
        const msgbus::async::receipt told =
            co_await publisher_.send(std::move(message), prefix_ + topic);
        if (told.rejected > 0) throw_refused(told.rejected, topic);
      });
}

}  // namespace exchange
