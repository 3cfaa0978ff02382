#include "audit.hpp"

#include "domain.hpp"

namespace exchange {

void write_facts(audit_file& file, msgbus::async::consumer& consumer) {
  consumer.handler<account_opened, money_deposited, money_withdrawn, order_placed, order_cancelled>(
      [&file](const auto& event) -> asio::awaitable<void> {
        file.add(event);
        if (file.full()) co_await file.room();
      });
}

}  // namespace exchange
