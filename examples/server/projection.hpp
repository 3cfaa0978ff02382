#pragma once

/// Joins the read model to the bus: a consumer writes it and a service reads it, both on one
/// strand, so it needs no lock.

#include <msgbus/async.hpp>

#include <vector>

#include "domain.hpp"
#include "read_model.hpp"

namespace exchange {

/// By the names of the operations.
struct query_operations {
  msgbus::async::operation<account(number account)> get_account;
  msgbus::async::operation<std::vector<order>(number account)> list_orders;
  msgbus::async::operation<std::vector<symbol_summary>()> list_symbols;
  msgbus::async::operation<totals()> summary;
};

/// Both must run on the same strand, and must not outlive the model.
void keep_up_to_date(read_model& model, msgbus::async::consumer& consumer);
query_operations add_queries(const read_model& model, msgbus::async::service& service);

}  // namespace exchange
