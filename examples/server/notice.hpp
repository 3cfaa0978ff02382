#pragma once

/// What followers get.

#include <memory>
#include <string>

namespace exchange {

/// Written as text once, however many follow.
struct notice {
  std::shared_ptr<const std::string> line;
};

}  // namespace exchange
