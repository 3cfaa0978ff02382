#pragma once

/// What clients may ask about, kept up to date by events. It takes events of different accounts in
/// any order. Not thread-safe. Knows of no bus: see projection.hpp.

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain.hpp"

namespace exchange {

class read_model {
 public:
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
