#pragma once

/// The business as one writes it without a bus: books, read model and audit log under one mutex,
/// which is held for microseconds and never while something is awaited. Thread-safe.

#include <asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "audit_file.hpp"
#include "books.hpp"
#include "business.hpp"
#include "direct_board.hpp"
#include "read_model.hpp"

namespace direct {

class business final : public exchange::business {
 public:
  business(asio::thread_pool& blocking, const std::string& audit, board& notices)
      : blocking_(blocking), audit_(audit), notices_(notices) {}

  asio::awaitable<exchange::account> open_account(std::string owner) override;
  asio::awaitable<exchange::account> deposit(exchange::number id, exchange::money amount) override;
  asio::awaitable<exchange::account> withdraw(exchange::number id, exchange::money amount) override;
  asio::awaitable<exchange::order> place_order(exchange::number account, std::string symbol,
                                               std::int64_t quantity,
                                               exchange::money price) override;
  asio::awaitable<exchange::order> cancel_order(exchange::number id) override;
  asio::awaitable<exchange::totals> books() override;
  asio::awaitable<exchange::account> get_account(exchange::number id) override;
  asio::awaitable<std::vector<exchange::order>> list_orders(exchange::number account) override;
  asio::awaitable<std::vector<exchange::symbol_summary>> list_symbols() override;
  asio::awaitable<exchange::totals> summary() override;
  asio::awaitable<std::string> stats() override;

  /// Refuses what would change the books from now on. Completes when no command is being carried
  /// out, all notices are published and the log is written, or at the deadline.
  asio::awaitable<void> finish(std::chrono::steady_clock::time_point deadline);

  /// When nothing runs any more: whether the books and the read model say the same.
  [[nodiscard]] bool agrees() const { return books_.sums() == read_model_.summary(); }
  [[nodiscard]] const exchange::totals& book_totals() const { return books_.sums(); }

 private:
  class open_transaction;

  void require_open_locked() const;
  void commit_locked(exchange::transaction& work);
  template <class Event>
  void notify_locked(const Event& event);
  /// What `f` does to the books, in a transaction. Its result is copied while the lock is held.
  template <class R>
  asio::awaitable<R> change(std::function<const R&(exchange::transaction&)> f);

  asio::thread_pool& blocking_;
  std::mutex mutex_;
  exchange::books books_;
  exchange::read_model read_model_;
  exchange::audit_file audit_;
  board& notices_;
  std::uint64_t notices_made_ = 0;
  bool closed_ = false;
  std::atomic<std::uint64_t> open_{0};  // orders that are being checked
};

}  // namespace direct
