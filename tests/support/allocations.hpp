#pragma once

// What the operators new and delete of tests/cost count.

#include <atomic>
#include <cstddef>

namespace msgbus_test {

inline std::atomic<long> allocations{0};
inline std::atomic<long> blocks_kept{0};
inline std::atomic<std::size_t> largest{0};  // in bytes; to be set to 0 by whoever looks at it

}  // namespace msgbus_test
