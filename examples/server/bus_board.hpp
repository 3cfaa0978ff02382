#pragma once

/// A board that is a subscriber of the bus.

#include <msgbus/async/subscriber.hpp>

#include "board.hpp"

namespace exchange {

class bus_board final : public board {
 public:
  explicit bus_board(msgbus::async::subscriber& notices) : notices_(notices) {}

  std::unique_ptr<following> follow(const std::string& pattern,
                                    std::function<void(const notice&)> take) override;

 private:
  msgbus::async::subscriber& notices_;
};

}  // namespace exchange
