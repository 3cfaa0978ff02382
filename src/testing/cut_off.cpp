#include <msgbus/testing/cut_off.hpp>

namespace msgbus::testing::detail {

void run_on(stepping_context& context, std::size_t limit) {
  for (std::size_t done = 0; context.step(); ++done) {
    if (done == limit) {
      throw std::runtime_error("msgbus: the components were destroyed, but work remains after " +
                               std::to_string(limit) + " more steps");
    }
  }
}

}  // namespace msgbus::testing::detail
