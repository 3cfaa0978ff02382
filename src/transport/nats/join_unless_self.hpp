#pragma once

#include <thread>

namespace msgbus::nats {

/// Waits for the end of a thread that has nothing left to do. A thread cannot wait for itself: it
/// is left alone, and must keep all that it needs.
inline void join_unless_self(std::thread& ending) {
  if (ending.get_id() == std::this_thread::get_id()) {
    ending.detach();
  } else {
    ending.join();
  }
}

}  // namespace msgbus::nats
