#include "bus_business.hpp"

#include <msgbus/error.hpp>

#include <utility>

#include "json.hpp"

namespace exchange {
namespace {

// Where what carries commands out is another process, or the risk check took too long.
bool is_away(const std::error_code& code) {
  return code == msgbus::errc::timed_out || code == msgbus::errc::no_handler ||
         code == msgbus::errc::disconnected;
}

}  // namespace

asio::awaitable<account> bus_business::open_account(std::string owner) {
  return commands_.execute<account>("open_account", std::move(owner));
}

asio::awaitable<account> bus_business::deposit(number id, money amount) {
  return commands_.execute<account>("deposit", id, amount);
}

asio::awaitable<account> bus_business::withdraw(number id, money amount) {
  return commands_.execute<account>("withdraw", id, amount);
}

asio::awaitable<order> bus_business::place_order(number account, std::string symbol,
                                                 std::int64_t quantity, money price) {
  return commands_.execute<order>("place_order", account, std::move(symbol), quantity, price);
}

asio::awaitable<order> bus_business::cancel_order(number id) {
  return commands_.execute<order>("cancel_order", id);
}

asio::awaitable<totals> bus_business::books() { return commands_.execute<totals>("books"); }

asio::awaitable<account> bus_business::get_account(number id) {
  return queries_.execute<account>("get_account", id);
}

asio::awaitable<std::vector<order>> bus_business::list_orders(number account) {
  return queries_.execute<std::vector<order>>("list_orders", account);
}

asio::awaitable<std::vector<symbol_summary>> bus_business::list_symbols() {
  return queries_.execute<std::vector<symbol_summary>>("list_symbols");
}

asio::awaitable<totals> bus_business::summary() { return queries_.execute<totals>("summary"); }

asio::awaitable<std::string> bus_business::stats() {
  const json figures = co_await stats_();
  co_return figures.dump();
}

std::optional<refusal> bus_business::explain(const std::exception_ptr& failure) const {
  try {
    std::rethrow_exception(failure);
  } catch (const msgbus::error& error) {
    if (error.code() == msgbus::errc::closed) {
      return refusal("shutting_down", "the server is stopping");
    }
    if (error.code() == msgbus::errc::full) return refusal("busy", error.what());
    if (error.code() == msgbus::errc::invalid_topic) return refusal("bad_request", error.what());
    if (error.code() == msgbus::errc::circuit_open) return refusal("unavailable", error.what());
    if (is_away(error.code())) return refusal("unavailable", error.what());
  } catch (...) {
  }
  return std::nullopt;
}

}  // namespace exchange
