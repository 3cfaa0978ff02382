#pragma once

/// What clients may ask for, carried out by services of the bus: here, or in another process.

#include <msgbus/async/service.hpp>

#include <functional>

#include "business.hpp"
#include "json_fwd.hpp"

namespace exchange {

class bus_business final : public business {
 public:
  /// `commands` and `queries` have the operations that `commands.hpp` and `projection.hpp` name.
  bus_business(msgbus::async::service& commands, msgbus::async::service& queries,
               std::function<asio::awaitable<json>()> stats)
      : commands_(commands), queries_(queries), stats_(std::move(stats)) {}

  asio::awaitable<account> open_account(std::string owner) override;
  asio::awaitable<account> deposit(number account, money amount) override;
  asio::awaitable<account> withdraw(number account, money amount) override;
  asio::awaitable<order> place_order(number account, std::string symbol, std::int64_t quantity,
                                     money price) override;
  asio::awaitable<order> cancel_order(number order) override;
  asio::awaitable<totals> books() override;
  asio::awaitable<account> get_account(number account) override;
  asio::awaitable<std::vector<order>> list_orders(number account) override;
  asio::awaitable<std::vector<symbol_summary>> list_symbols() override;
  asio::awaitable<totals> summary() override;
  asio::awaitable<std::string> stats() override;

  [[nodiscard]] std::optional<refusal> explain(const std::exception_ptr& failure) const override;

 private:
  msgbus::async::service& commands_;
  msgbus::async::service& queries_;
  std::function<asio::awaitable<json>()> stats_;
};

}  // namespace exchange
