#include "notifications.hpp"

#include <stdexcept>
#include <utility>

#include "json.hpp"

namespace exchange {

void notifications::attach(msgbus::async::consumer& consumer) {
  consumer.handler(&notifications::on_account_opened, *this);
  consumer.handler(&notifications::on_deposited, *this);
  consumer.handler(&notifications::on_withdrawn, *this);
  consumer.handler(&notifications::on_placed, *this);
  consumer.handler(&notifications::on_cancelled, *this);
}

asio::awaitable<void> notifications::on_account_opened(const account_opened& event) {
  return publish(event, "accounts.opened");
}

asio::awaitable<void> notifications::on_deposited(const money_deposited& event) {
  return publish(event, "accounts.deposited");
}

asio::awaitable<void> notifications::on_withdrawn(const money_withdrawn& event) {
  return publish(event, "accounts.withdrawn");
}

asio::awaitable<void> notifications::on_placed(const order_placed& event) {
  return publish(event, "orders." + event.order.symbol + ".placed");
}

asio::awaitable<void> notifications::on_cancelled(const order_cancelled& event) {
  return publish(event, "orders." + event.order.symbol + ".cancelled");
}

template <class Event>
asio::awaitable<void> notifications::publish(const Event& event, std::string topic) {
  json line;
  line["topic"] = topic;
  line["n"] = ++count_;
  line["notice"] = event;
  notice message{std::make_shared<const std::string>(to_line(line))};
  const msgbus::async::receipt told = co_await publisher_.send(std::move(message), prefix_ + topic);
  if (told.rejected > 0) {
    throw std::runtime_error(std::to_string(told.rejected) + " subscribers refused a notice of " +
                             topic);
  }
}

}  // namespace exchange
