#include <msgbus/detail/observe/time_sample.hpp>

#include <chrono>
#include <random>

namespace msgbus::detail {

namespace {

std::int64_t steady_nanoseconds() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Marsaglia's xorshift64: a choice, and no secret.
std::uint64_t next_random() noexcept {
  constinit thread_local std::uint64_t state = 0;
  if (state == 0) {
    static const std::uint64_t seed = std::random_device()();
    // The address differs between threads.
    state = (seed << 32U) ^ reinterpret_cast<std::uintptr_t>(&state) ^ 0x9e3779b97f4a7c15U;
  }
  state ^= state << 13U;
  state ^= state >> 7U;
  state ^= state << 17U;
  return state;
}

}  // namespace

constinit times_clock clock_of_times = &steady_nanoseconds;
constinit thread_local std::int64_t handled_until = 0;

bool is_sampled(std::uint32_t many) noexcept { return many <= 1 || next_random() % many == 0; }

}  // namespace msgbus::detail
