#pragma once

/// What clients may ask about, kept up to date by events: a consumer writes it and a service reads
/// it, both on one strand, so it needs no lock. It takes events of different accounts in any order.

#include <msgbus/async.hpp>

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain.hpp"

namespace exchange {

/// By the names of the operations.
struct query_operations {
  msgbus::async::operation<account(number account)> get_account;
  msgbus::async::operation<std::vector<order>(number account)> list_orders;
  msgbus::async::operation<std::vector<symbol_summary>()> list_symbols;
  msgbus::async::operation<totals()> summary;
};

class read_model {
 public:
  /// Both must run on the same strand, and must not outlive this.
  void attach(msgbus::async::consumer& consumer);
  query_operations attach(msgbus::async::service& service);

  // Events.
  void on_opened(const account_opened& event);
  void on_deposited(const money_deposited& event);
  void on_withdrawn(const money_withdrawn& event);
  void on_placed(const order_placed& event);
  void on_cancelled(const order_cancelled& event);

  // Queries: operations of the same names.
  [[nodiscard]] account get_account(number id) const;
  [[nodiscard]] std::vector<order> list_orders(number account) const;  // open ones, 100 at most
  [[nodiscard]] std::vector<symbol_summary> list_symbols() const;
  [[nodiscard]] totals summary() const { return totals_; }

 private:
  void add_money(number account, money amount);

  struct known_account {
    account own;
    std::map<number, order> open_orders;
  };
  std::unordered_map<number, known_account> accounts_;
  std::map<std::string, symbol_summary> symbols_;
  totals totals_;
};

}  // namespace exchange
