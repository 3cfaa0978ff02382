#pragma once

/// How much memory the program has asked for and not given back.

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#else
#include <cmath>
#endif

namespace bench {

/// On the heap; not a number where that cannot be known.
inline double heap_kib() {
#if defined(__GLIBC__)
  const auto all = mallinfo2();
  return static_cast<double>(all.uordblks + all.hblkhd) / 1024;
#else
  return std::nan("");
#endif
}

}  // namespace bench
