#pragma once

/// The hash of the routing core's tables. `constexpr`, so that a `topic<T>` carries its hash from
/// compile time; eight bytes a step, so that a topic given as a string is hashed fast as well.

#include <msgbus/core/namespaces.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace msgbus::detail {

inline constexpr std::uint64_t hash_factor = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio, odd

constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value *= hash_factor;
  return value ^ (value >> 32);
}

// Up to eight bytes as a little-endian number, on every machine and at compile time.
constexpr std::uint64_t load(const char* data, std::size_t size) noexcept {
  if (!std::is_constant_evaluated()) {
    if (size == 8) {
      std::uint64_t whole = 0;
      std::memcpy(&whole, data, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      whole = __builtin_bswap64(whole);
#endif
      return whole;
    }
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(data[i])} << (8 * i);
  }
  return word;
}

[[nodiscard]] constexpr std::size_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = text.size() * hash_factor;
  const char* data = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, data += 8) hash = mix(hash ^ load(data, 8));
  if (left > 0) hash = mix(hash ^ load(data, left));
  return static_cast<std::size_t>(mix(hash));
}

[[nodiscard]] inline std::size_t hash_of_address(const void* address) noexcept {
  return static_cast<std::size_t>(mix(reinterpret_cast<std::uintptr_t>(address)));
}

}  // namespace msgbus::detail
