#include "async/signal_watch.hpp"

#include <system_error>
#include <utility>

namespace msgbus::async::detail {

signal_watch::signal_watch(const asio::any_io_executor& executor, const std::array<int, 8>& signals,
                           std::weak_ptr<host_state> host)
    : set_(executor), host_(std::move(host)) {
  for (const int each : signals) {
    if (each != 0) set_.add(each);
  }
}

void signal_watch::start() {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  set_.async_wait([self = shared_from_this()](const std::error_code& error, int) {
    if (!error) self->heard();
  });
}

void signal_watch::heard() {
  const std::shared_ptr<host_state> host = host_.lock();
  if (!host) return end();
  const bool again = host->is_stopped();
  host->signalled();
  if (again) return end();
  start();
}

void signal_watch::end() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(ended_, true)) return;
  std::error_code ignored;
  set_.clear(ignored);
  set_.cancel(ignored);
}

}  // namespace msgbus::async::detail
