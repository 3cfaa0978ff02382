#include <msgbus/exec/stream_queue.hpp>

namespace msgbus::exec {

waiting_line::waiting_line() = default;
waiting_line::~waiting_line() = default;

void waiting_line::join(place& mine) { mine.at = line_.insert(line_.end(), &mine); }

void waiting_line::leave(place& mine) noexcept { line_.erase(mine.at); }

void waiting_line::call(std::size_t many) noexcept {
  for (place* const each : line_) {
    if (many == 0) return;
    if (!each->called && each->waiter) {
      each->called = true;
      each->waiter->wake();
    }
    --many;
  }
}

}  // namespace msgbus::exec
