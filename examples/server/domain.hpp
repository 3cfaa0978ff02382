#pragma once

/// What the business speaks of: accounts, orders, and what has happened to them. Knows of no
/// sockets, no threads and no text format.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace exchange {

using number = std::int64_t;  ///< of an account or an order
using money = std::int64_t;   ///< in cents

struct account {
  number id = 0;
  std::string owner;
  money balance = 0;
};

enum class order_state { checking, open, cancelled };

/// An open order has its money (quantity * price) set aside from the account's balance.
struct order {
  number id = 0;
  number account = 0;
  std::string symbol;
  std::int64_t quantity = 0;
  money price = 0;
  order_state state = order_state::checking;

  [[nodiscard]] money value() const { return quantity * price; }
};

// --- Events: facts, in the past. -----------------------------------------------------------------

struct account_opened {
  exchange::account account;
};
struct money_deposited {
  exchange::account account;
  money amount;
};
struct money_withdrawn {
  exchange::account account;
  money amount;
};
struct order_placed {
  exchange::order order;
};
struct order_cancelled {
  exchange::order order;
};

/// A variant is routed by what it holds: handlers name the events, not this.
using fact =
    std::variant<account_opened, money_deposited, money_withdrawn, order_placed, order_cancelled>;

// --- Answers. ------------------------------------------------------------------------------------

/// Sums over everything. The books and the read model each have their own, and must agree.
struct totals {
  std::int64_t accounts = 0;
  money deposited = 0;
  money withdrawn = 0;
  money balances = 0;
  money set_aside = 0;
  std::int64_t orders_placed = 0;
  std::int64_t orders_cancelled = 0;
  std::int64_t orders_open = 0;

  friend bool operator==(const totals&, const totals&) = default;
};

struct symbol_summary {
  std::string symbol;
  std::int64_t placed = 0;
  std::int64_t cancelled = 0;
  std::int64_t open_quantity = 0;
};

/// A command that makes no sense as things are: nothing is wrong with the program.
class refusal : public std::runtime_error {
 public:
  refusal(std::string_view code, const std::string& text)
      : std::runtime_error(std::string(code) + ": " + text), code_size_(code.size()) {}

  /// Makes the same refusal from the text of `what()` in another process.
  [[nodiscard]] static refusal read(const std::string& text) {
    const std::size_t colon = text.find(": ");
    if (colon == std::string::npos) return {"refused", text};
    return {text.substr(0, colon), text.substr(colon + 2)};
  }

  [[nodiscard]] std::string_view code() const noexcept {
    return std::string_view(what()).substr(0, code_size_);
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return std::string_view(what()).substr(code_size_ + 2);
  }

 private:
  std::size_t code_size_;
};

}  // namespace exchange
