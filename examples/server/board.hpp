#pragma once

/// Where notices are: sessions follow patterns of topics. Knows of no bus.

#include <functional>
#include <memory>
#include <string>

#include "notice.hpp"

namespace exchange {

class board {
 public:
  /// While it lives, notices come; once its destructor has returned, none does.
  class following {
   public:
    virtual ~following() = default;
  };

  virtual ~board() = default;

  /// `take` is called for each notice whose topic matches, one after the other, on any thread.
  /// Throws if the pattern is invalid: `business::explain` knows why. For any thread.
  [[nodiscard]] virtual std::unique_ptr<following> follow(
      const std::string& pattern, std::function<void(const notice&)> take) = 0;
};

}  // namespace exchange
