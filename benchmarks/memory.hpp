#pragma once

/// How much memory the program has.

#include <cstdlib>
#include <fstream>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#else
#include <cmath>
#endif

namespace bench {

/// What it has asked for and not given back, on the heap; not a number where that cannot be known.
inline double heap_kib() {
#if defined(__GLIBC__)
  const auto all = mallinfo2();
  return static_cast<double>(all.uordblks + all.hblkhd) / 1024;
#else
  return std::nan("");
#endif
}

/// What the system has given it, stacks included; 0 where that cannot be known.
inline double resident_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

/// Gives what the heap has free back to the system, so that `resident_kib` is what is in use.
inline void give_back_free_memory() noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace bench
