#include "risk.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace exchange {
namespace {

constexpr money largest_order = 100'000'000;

// Stands for what one finds in practice: somebody else's library, which blocks its thread.
void assess(money value) {
  std::this_thread::sleep_for(std::chrono::microseconds(500));
  if (value > largest_order) {
    throw refusal("risk_refused", "the value of the order, " + std::to_string(value) +
                                      ", is more than " + std::to_string(largest_order));
  }
}

}  // namespace

void add_risk_check(msgbus::async::service& service, asio::any_io_executor blocking) {
  service.handler("assess", assess, {.executor = std::move(blocking)});
}

}  // namespace exchange
