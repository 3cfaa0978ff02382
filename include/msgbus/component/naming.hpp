#pragma once

/// How operations are named after functions.

#include <string>
#include <string_view>

namespace msgbus::component {

/// `shop::train_model` -> `train-model`: what `handler<f>()` calls an operation by default.
[[nodiscard]] std::string kebab_case(std::string_view function);

}  // namespace msgbus::component
