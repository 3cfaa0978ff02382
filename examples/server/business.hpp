#pragma once

/// What clients may ask of the business, however it is made. Knows of no bus.

#include <asio/awaitable.hpp>

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "domain.hpp"

namespace exchange {

/// Each operation completes when what was asked for is done, and throws a `refusal` if it makes no
/// sense as things are. May be called from any thread.
class business {
 public:
  virtual ~business() = default;

  virtual asio::awaitable<account> open_account(std::string owner) = 0;
  virtual asio::awaitable<account> deposit(number account, money amount) = 0;
  virtual asio::awaitable<account> withdraw(number account, money amount) = 0;
  virtual asio::awaitable<order> place_order(number account, std::string symbol,
                                             std::int64_t quantity, money price) = 0;
  virtual asio::awaitable<order> cancel_order(number order) = 0;
  virtual asio::awaitable<totals> books() = 0;

  virtual asio::awaitable<account> get_account(number account) = 0;
  virtual asio::awaitable<std::vector<order>> list_orders(number account) = 0;
  virtual asio::awaitable<std::vector<symbol_summary>> list_symbols() = 0;
  virtual asio::awaitable<totals> summary() = 0;

  /// What the process says of itself, as JSON.
  virtual asio::awaitable<std::string> stats() = 0;

  /// What a client is told of a failure that is no `refusal`.
  [[nodiscard]] virtual std::optional<refusal> explain(const std::exception_ptr&) const {
    return std::nullopt;
  }
};

}  // namespace exchange
