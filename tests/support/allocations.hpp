#pragma once

// What the operators new and delete of tests/cost count.

#include <atomic>

namespace msgbus_test {

inline std::atomic<long> allocations{0};
inline std::atomic<long> blocks_kept{0};

}  // namespace msgbus_test
