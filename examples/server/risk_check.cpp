#include "risk_check.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace exchange {

constexpr money largest_order = 100'000'000;

// Stands for what one finds in practice: somebody else's library, which blocks its thread.
void assess(money value) {
  std::this_thread::sleep_for(std::chrono::microseconds(500));
  if (value > largest_order) {
    throw refusal("risk_refused", "the value of the order, " + std::to_string(value) +
                                      ", is more than " + std::to_string(largest_order));
  }
}

}  // namespace exchange
