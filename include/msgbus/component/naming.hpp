#pragma once

/// The names of operations that are made from functions.

#include <string>
#include <string_view>

namespace msgbus::component {

/// The default naming: `shop::train_model` becomes `train-model`.
[[nodiscard]] std::string kebab_case(std::string_view function);

}  // namespace msgbus::component
