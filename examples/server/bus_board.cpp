#include "bus_board.hpp"

#include <msgbus/subscription.hpp>

#include <utility>

namespace exchange {
namespace {

struct subscribed final : board::following {
  explicit subscribed(msgbus::subscription made) : subscription(std::move(made)) {}
  msgbus::scoped_subscription subscription;
};

}  // namespace

std::unique_ptr<board::following> bus_board::follow(const std::string& pattern,
                                                    std::function<void(const notice&)> take) {
  return std::make_unique<subscribed>(notices_.subscribe(pattern, std::move(take)));
}

}  // namespace exchange
