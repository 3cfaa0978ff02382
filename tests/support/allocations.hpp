#pragma once

// The counts of the operators new and delete of tests/cost.

#include <atomic>
#include <cstddef>

namespace msgbus_test {

inline std::atomic<long> allocations{0};
inline std::atomic<long> blocks_kept{0};
inline std::atomic<std::size_t> largest{0};  // in bytes; its readers reset it to 0

}  // namespace msgbus_test
