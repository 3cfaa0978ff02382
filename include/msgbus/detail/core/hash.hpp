#pragma once

/// The hash of the routing core's tables. `constexpr`, so a `topic<T>` has its hash at compile
/// time. It reads eight bytes a step, so topics in strings are hashed fast too.

#include <msgbus/detail/core/config.hpp>

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

// Some bytes as a little-endian number, on every machine and at compile time.
template <class Number>
constexpr std::uint64_t load(const char* data) noexcept {
  constexpr std::size_t size = sizeof(Number);
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (!std::is_constant_evaluated()) {
    Number whole = 0;
    std::memcpy(&whole, data, size);
    return whole;
  }
#endif
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(data[i])} << (8 * i);
  }
  return word;
}

// The same for fewer than eight bytes. May load some of them twice.
constexpr std::uint64_t load_short(const char* data, std::size_t size) noexcept {
  if (size >= 4) {
    return load<std::uint32_t>(data) | load<std::uint32_t>(data + size - 4) << (8 * (size - 4));
  }
  if (size == 0) return 0;
  return load<std::uint8_t>(data) | load<std::uint8_t>(data + size / 2) << (8 * (size / 2)) |
         load<std::uint8_t>(data + size - 1) << (8 * (size - 1));
}

[[nodiscard]] constexpr std::size_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = text.size() * hash_factor;
  const char* data = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, data += 8) hash = mix(hash ^ load<std::uint64_t>(data));
  if (left > 0) hash = mix(hash ^ load_short(data, left));
  return static_cast<std::size_t>(mix(hash));
}

/// Whether two texts are equal. Faster than a call of `memcmp` for texts of a topic's length.
[[nodiscard]] inline bool is_same_text(std::string_view one, std::string_view other) noexcept {
  std::size_t left = one.size();
  if (left != other.size()) return false;
  const char* a = one.data();
  const char* b = other.data();
  if (left < 8) return load_short(a, left) == load_short(b, left);
  for (; left > 8; left -= 8, a += 8, b += 8) {
    if (load<std::uint64_t>(a) != load<std::uint64_t>(b)) return false;
  }
  return load<std::uint64_t>(a + left - 8) == load<std::uint64_t>(b + left - 8);
}

[[nodiscard]] inline std::size_t hash_of_address(const void* address) noexcept {
  return static_cast<std::size_t>(mix(reinterpret_cast<std::uintptr_t>(address)));
}

}  // namespace msgbus::detail
