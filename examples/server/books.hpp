#pragma once

/// The truth about accounts and orders, and the only way to change it: a transaction. Neither is
/// thread-safe: the service that uses them runs on a strand.

#include "domain.hpp"

#include <functional>
#include <unordered_map>
#include <vector>

namespace exchange {

class books {
 public:
  /// Throws `unknown_account`.
  [[nodiscard]] const account& account_of(number id) const;
  /// Throws `unknown_order`.
  [[nodiscard]] const order& order_of(number id) const;
  [[nodiscard]] const totals& sums() const noexcept { return totals_; }

  /// Takes over what another process has written down: first the account, with the balance that it
  /// has at the end, then what has led to that.
  void restore(const fact& known);

 private:
  friend class transaction;

  std::unordered_map<number, account> accounts_;
  std::unordered_map<number, order> orders_;
  number last_account_ = 0;
  number last_order_ = 0;
  totals totals_;
};

/// Changes are made at once, so that commands that run at the same time see them: money that is set
/// aside is not spent twice. Unless it is committed, the destructor takes them back.
class transaction {
 public:
  explicit transaction(books& changed) : books_(changed) {}
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  const account& open_account(std::string owner);
  const account& deposit(number id, money amount);
  const account& withdraw(number id, money amount);

  /// Sets the money aside. The order cannot be cancelled before it is opened.
  const order& begin_order(number id, std::string symbol, std::int64_t quantity, money price);
  const order& open_order(number id);
  const order& cancel_order(number id);

  void commit() noexcept { undo_.clear(); }

  /// What has happened, to be announced once it is committed.
  [[nodiscard]] std::vector<fact>& facts() noexcept { return facts_; }

 private:
  account& account_of(number id);
  order& order_of(number id);
  void add(account& to, money amount);

  books& books_;
  std::vector<std::function<void()>> undo_;
  std::vector<fact> facts_;
};

}  // namespace exchange
