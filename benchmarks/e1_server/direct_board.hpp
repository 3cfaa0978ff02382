#pragma once

/// A board as one writes it without a bus: a list under a mutex.

#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <vector>

#include "board.hpp"

namespace direct {

class board final : public exchange::board {
 public:
  std::unique_ptr<following> follow(const std::string& pattern,
                                    std::function<void(const exchange::notice&)> take) override;

  /// Calls all who follow the topic.
  void publish(const exchange::notice& message, std::string_view topic);

 private:
  struct follower {
    std::vector<std::string> pattern;
    std::function<void(const exchange::notice&)> take;
  };
  class entry;

  std::mutex mutex_;
  std::list<follower> followers_;
};

}  // namespace direct
