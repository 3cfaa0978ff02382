#include "projection.hpp"

namespace exchange {

void keep_up_to_date(read_model& model, msgbus::async::consumer& consumer) {
  consumer.handler(&read_model::on_opened, model);
  consumer.handler(&read_model::on_deposited, model);
  consumer.handler(&read_model::on_withdrawn, model);
  consumer.handler(&read_model::on_placed, model);
  consumer.handler(&read_model::on_cancelled, model);
}

query_operations add_queries(const read_model& model, msgbus::async::service& service) {
  return {.get_account = service.handler("get_account", &read_model::get_account, model),
          .list_orders = service.handler("list_orders", &read_model::list_orders, model),
          .list_symbols = service.handler("list_symbols", &read_model::list_symbols, model),
          .summary = service.handler("summary", &read_model::summary, model)};
}

}  // namespace exchange
