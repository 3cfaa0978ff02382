#include <msgbus/core/context.hpp>

namespace msgbus {

const headers& context::headers() const noexcept {
  static const msgbus::headers none;
  return headers_ ? *headers_ : none;
}

}  // namespace msgbus
