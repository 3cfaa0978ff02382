#include <msgbus/detail/component/overlay.hpp>

namespace msgbus::di {

std::uint64_t mask_of_needs(std::span<const dependency_info* const> needs,
                            std::span<const dependency_info* const> before) noexcept {
  std::uint64_t mask = 0;
  for (const dependency_info* const each : needs) {
    std::size_t i = 0;
    while (i < before.size() && before[i] != each) ++i;
    if (i == before.size()) return 0;
    mask |= std::uint64_t{1} << i;
  }
  return mask;
}

}  // namespace msgbus::di
